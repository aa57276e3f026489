import { expect, test } from 'vitest'
import { type ComposeOptions, compose } from '../compose/compose.ts'
import { isHydraConfigError } from '../errors.ts'
import { watch } from '../hydra.ts'
import { fromMemory } from './memory.ts'
import type { ConfigSource } from './source.ts'

const cause = new Error('no connection')
const files = new Map([['config.yaml', 'a: 1\n']])

class LazyFiles extends Map<string, string> {
  override get(): string {
    throw cause
  }
}

const failing: Readonly<Record<string, () => unknown>> = {
  'what it throws': () => {
    throw cause
  },
  'what it rejects with': () => Promise.reject(cause),
  'what a file throws': () => new LazyFiles(files),
}

/** A source as a program without types may write it. */
function sourceOf(answer: () => unknown): ConfigSource {
  return { path: 'own://x', files: (signal) => Reflect.apply(answer, undefined, [signal]) }
}

async function refusal(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isHydraConfigError(error)) throw new Error('no error of this package', { cause: error })
  return error
}

test.each(Object.entries(failing))('of a source of ones own, %s is the cause', async (_, answer) => {
  const options: ComposeOptions = { source: sourceOf(answer), config: 'config' }
  expect(await refusal(compose(options))).toMatchObject({ code: 'SOURCE_READ', cause })
  expect(await refusal(watch(options))).toMatchObject({ code: 'SOURCE_READ', cause })
})

test.each([undefined, null, {}, 'a: 1', 7])('a source that gives %o is refused', async (answer) => {
  for (const given of [() => answer, () => Promise.resolve(answer)]) {
    expect(await refusal(compose({ source: sourceOf(given), config: 'config' }))).toMatchObject({
      code: 'SOURCE_READ',
      problem: expect.stringMatching(/^the source own:\/\/x must give a Map of paths and texts, not /),
    })
  }
})

test('what a source throws because of the signal is no fault of the source', async () => {
  const controller = new AbortController()
  const source: ConfigSource = {
    path: 'own://x',
    files(signal) {
      controller.abort(cause)
      signal?.throwIfAborted()
      return files
    },
  }
  const composed = compose({ source, config: 'config', signal: controller.signal })
  expect(await refusal(composed)).toMatchObject({ code: 'ABORTED', cause })
})

test('what resolveSource throws is the cause too', async () => {
  const resolveSource = (): never => {
    throw cause
  }
  const source = fromMemory({ 'config.yaml': 'hydra: {searchpath: [own://x]}\n' })
  const composed = compose({ source, config: 'config', resolveSource })
  expect(await refusal(composed)).toMatchObject({
    code: 'SOURCE_READ',
    problem: 'own://x cannot be read: no connection',
    cause,
  })
})
