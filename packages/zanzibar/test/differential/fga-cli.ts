import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { startCommand } from '../cli/command.ts'
import { startOpenFga } from '../openfga.ts'
import { fgaFiles, fgaTour } from './fga-tour.ts'

/** What one command of `fga` came to, with what each server draws for itself named only. */
export interface FgaAnswer {
  readonly command: string
  readonly status: number | null
  readonly output: string
}

export interface FgaDifference {
  readonly ours: FgaAnswer
  readonly theirs: FgaAnswer | undefined
}

/** Drives `zanzibar serve` and a running OpenFGA by the same commands of the `fga` program, unchanged, and compares all that it says. */
export async function compareFgaCli(
  program: string,
): Promise<
  | { readonly answers: readonly FgaAnswer[]; readonly differences: readonly FgaDifference[] }
  | { missing: string }
> {
  const peer = await startOpenFga()
  if ('missing' in peer) return peer
  await using running = peer
  await using serving = await startServe()
  const mine = await tourOf(program, serving.url)
  const theirs = await tourOf(program, running.url)
  const differences = mine.flatMap((ours, at) => {
    const other = theirs[at]
    return ours.status === other?.status && ours.output === other.output ? [] : [{ ours, theirs: other }]
  })
  return { answers: mine, differences }
}

async function startServe(): Promise<AsyncDisposable & { readonly url: string }> {
  const child = startCommand(['serve', '--port', '0'])
  const ended = once(child, 'exit')
  const listens = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout ?? Readable.from([])).on('line', (line) => {
      const url = /http:\/\/\S+:\d+/.exec(line)?.[0]
      if (url !== undefined) resolve(url)
    })
    ended.then(() => reject(new Error('zanzibar serve ended before it listened')), reject)
  })
  return {
    url: await listens,
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await ended
    },
  }
}

async function tourOf(program: string, url: string): Promise<readonly FgaAnswer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-fga-'))
  try {
    for (const [name, content] of Object.entries(fgaFiles)) await writeFile(join(folder, name), content)
    const ids = new Ids()
    const answers: FgaAnswer[] = []
    for (const command of fgaTour) {
      const args = command.split(' ').map((part) => ids.given(part.replaceAll('~', ' ')))
      const { status, output } = await run(program, [...args, '--api-url', url], folder)
      const exported = args.includes('--output-file')
        ? await readFile(join(folder, 'exported.yaml'), 'utf8')
        : ''
      const plain = ids.named(output.replaceAll(url, '$URL').replaceAll(folder, '$FOLDER') + exported)
      answers.push({ command, status, output: sorted(plain) })
    }
    return answers
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function run(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly status: number | null; readonly output: string }> {
  // Without the settings of whoever runs this.
  const child = spawn(program, args, { cwd, env: { HOME: cwd }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [status]: unknown[] = await ended
  return { status: typeof status === 'number' ? status : null, output: `${out}${errors}` }
}

/** The ids that a server draws: `$1` is the first that was told, and so on. */
class Ids {
  readonly #names = new Map<string, string>()

  /** `$1` as the id that it stands for. */
  given(part: string): string {
    for (const [id, name] of this.#names) if (part === name) return id
    return part
  }

  named(output: string): string {
    return output
      .replaceAll(/\b[0-7][\dA-HJKMNP-TV-Z]{25}\b/g, (id) => {
        const name = this.#names.get(id) ?? `$${this.#names.size + 1}`
        this.#names.set(id, name)
        return name
      })
      .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'time')
      .replaceAll(/"continuation_token":\s*"[^"]+"/g, '"continuation_token": drawn')
      .replaceAll(/"(?:total_)?(?:elapsed|duration|time_spent)[^"]*":\s*"[^"]*"/gi, '"time"')
  }
}

/** Lists without an order, sorted. */
function sorted(output: string): string {
  try {
    return JSON.stringify(canonical(JSON.parse(output)), undefined, 1)
  } catch {
    return output
  }
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]): [string, unknown] => [
      key,
      Array.isArray(each) && /^(?:objects|users|relations)$/.test(key)
        ? each.map((one) => JSON.stringify(canonical(one))).toSorted()
        : canonical(each),
    ]),
  )
}
