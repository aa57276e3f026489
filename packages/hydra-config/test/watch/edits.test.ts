import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, startChild } from '@loadbearing/harness/faults'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { fromDir } from '../../src/adapters/node.ts'
import { createHydra, type HydraEvent } from '../../src/index.ts'
import { copies, type EditsMessage, type MeetingMessage } from './children/edits.ts'

const numbered = z
  .object({ n: z.number(), copies: z.array(z.number()).length(copies) })
  .refine(({ n, copies: all }) => all.every((copy) => copy === n))

const schema = numbered.and(z.object({ db: numbered.and(z.object({ name: z.string() })) }))

// Another process makes 1,000 edits and says afterwards which configurations there were between two of them.
test('1,000 random edits, invalid ones too: every snapshot is one that there was, and the last is the last', async () => {
  const home = mkdtempSync(join(tmpdir(), 'hydra-config-'))
  const { seed = Math.trunc(Math.random() * 2 ** 31) } = fc.readConfigureGlobal()
  await using writer = await startChild(join(import.meta.dirname, 'children/edits.ts'), {
    args: [home, String(seed), '1000'],
    ready: 'begun',
  })
  const events: HydraEvent[] = []
  const hydra = createHydra({ sources: [fromDir(home)], onEvent: (event) => events.push(event) })
  const failed = (): boolean => events.some(({ type }) => type === 'reload.error')
  const seen = new Set<string>()
  try {
    await using live = await hydra.watch({ config: 'config', schema })
    const iteration = (async () => {
      for await (const { value } of live) seen.add(keyOf(value))
    })()
    await writer.send('go')
    // However slow this process is: there is an error that it saw, and after each hundredth edit a configuration.
    const met: (string | null)[] = []
    let message = await messageOf(writer)
    for (; 'shows' in message; message = await messageOf(writer)) {
      const { shows } = message
      await eventually(() => (shows === null ? failed() : seen.has(shows)), {
        within: '20s',
        what: `${shows ?? 'an error'}, seed ${seed}`,
      })
      met.push(shows)
      await writer.send('go on')
    }
    const { states, last } = message
    expect(keyOf(live.current.value), `seed ${seed}`).toBe(last)
    await live[Symbol.asyncDispose]()
    await iteration
    const known = new Set(states)
    expect(
      [...seen].filter((state) => !known.has(state)),
      `seed ${seed}`,
    ).toEqual([])
    expect(met, `seed ${seed}`).toHaveLength(1 + 10)
  } finally {
    rmSync(home, { recursive: true })
  }
})

async function messageOf(
  writer: Awaited<ReturnType<typeof startChild>>,
): Promise<MeetingMessage | EditsMessage> {
  return z
    .union([
      z.object({ shows: z.string().nullable() }),
      z.object({ states: z.array(z.string()), last: z.string() }),
    ])
    .parse(await writer.message())
}

function keyOf({
  n,
  db,
}: {
  readonly n: number
  readonly db: { readonly n: number; readonly name: string }
}): string {
  return `${n - 1e6} ${db.name} ${db.n - 1e6}`
}
