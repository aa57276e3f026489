import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Oracle, startOracle } from '@loadbearing/harness/oracle'
import { onPath, run } from './program.ts'

/** A program of ours in Go around a peer's own package, asked by JSON lines. */
export interface GoPeer extends AsyncDisposable {
  ask(question: object): Promise<unknown>
}

/** Builds the program in `folder`, or says why it cannot. The first build of Cilium's dependencies takes minutes. */
export async function buildGoPeer(folder: string, name: string): Promise<GoPeer | { missing: string }> {
  const go = await onPath('go')
  if (go === undefined) return { missing: 'no go on PATH' }
  const cache = join(homedir(), '.cache', 'loadbearing')
  mkdirSync(cache, { recursive: true })
  const program = join(cache, `maglev-peer-${name}`)
  const built = await run(go, ['build', '-o', program, '.'], 15 * 60_000, folder)
  if (built.status !== 0) return { missing: `go build: ${built.reason}` }
  return asking(startOracle({ command: program, timeout: '60s' }))
}

function asking(oracle: Oracle): GoPeer {
  return {
    async ask(question) {
      const answer = await oracle.ask(question)
      if (typeof answer === 'object' && answer !== null && 'ok' in answer) return answer.ok
      throw new Error(
        `the Go peer refuses ${JSON.stringify(question).slice(0, 500)}: ${JSON.stringify(answer)}`,
      )
    },
    [Symbol.asyncDispose]: () => oracle[Symbol.asyncDispose](),
  }
}
