import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { Place } from '../value/place.ts'
import { plainView } from '../value/plain.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { Resolution } from './resolve.ts'

/** A configuration as plain data; strings may have interpolations of paths in them. */
type Target = readonly string[] | { readonly value: string }
type Plain = string | number | null | Plain[] | { [key: string]: Plain }

const failed = Symbol('failed')
const depthMax = 300

/**
 * What the interpolations mean, without any economy: each is looked up by recursion, each reference anew. It knows
 * `${a.b}`, `${..a}` and text; a way deeper than any configuration of the test is a circle.
 */
class Model {
  readonly #root: Plain
  #depth = 0

  constructor(root: Plain) {
    this.#root = root
  }

  resolved(path: readonly string[]): Plain | typeof failed {
    this.#depth = 0
    try {
      return this.#whole(path)
    } catch (error) {
      if (error === failed) return failed
      throw error
    }
  }

  #whole(path: readonly string[]): Plain {
    return this.#deeper(() => this.#wholeOf(path))
  }

  #wholeOf(path: readonly string[]): Plain {
    const at = this.#dereferenced(path)
    if ('value' in at) return at.value
    const value = this.#raw(at)
    if (Array.isArray(value)) return value.map((_, index) => this.#whole([...at, String(index)]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.keys(value).map((key) => [key, this.#whole([...at, key])]))
  }

  /** Where the interpolation at a path leads to; of text with interpolations in it the text. */
  #dereferenced(path: readonly string[]): Target {
    return this.#deeper(() => this.#dereferencedOf(path))
  }

  #dereferencedOf(path: readonly string[]): Target {
    const value = this.#raw(path)
    if (typeof value !== 'string' || !value.includes('${')) return path
    const parts = value.split(/\$\{([a-z0-9.]+)\}/)
    if (parts.length === 3 && parts[0] === '' && parts[2] === '') return this.#target(parts[1] ?? '', path)
    const texts = parts.map((part, index) => (index % 2 === 0 ? part : this.#text(this.#target(part, path))))
    return { value: texts.join('') }
  }

  #target(written: string, from: readonly string[]): Target {
    const dots = /^\.*/.exec(written)?.[0].length ?? 0
    if (dots > from.length) throw failed
    const start = dots === 0 ? [] : from.slice(0, from.length - dots)
    let at: readonly string[] = start
    const keys = written.slice(dots).split('.')
    for (const [index, key] of keys.entries()) {
      const next = [...at, key]
      this.#raw(next)
      const found = this.#dereferenced(next)
      if (index === keys.length - 1) {
        if (
          !('value' in found) &&
          found.every((each, level) => from[level] === each) &&
          found.length < from.length
        )
          throw failed
        return found
      }
      if ('value' in found) throw failed
      at = found
    }
    return at
  }

  #text(found: Target): string {
    if ('value' in found) return found.value
    const value = this.#raw(found)
    return typeof value === 'string' ? value : printed(value)
  }

  #raw(path: readonly string[]): Plain {
    let value: Plain = this.#root
    for (const key of path) {
      if (typeof value !== 'object' || value === null) throw failed
      const next: Plain | undefined = Array.isArray(value)
        ? value[Number(key)]
        : Object.hasOwn(value, key)
          ? value[key]
          : undefined
      if (next === undefined) throw failed
      value = next
    }
    return value
  }

  #deeper<Result>(call: () => Result): Result {
    if (++this.#depth > depthMax) throw failed
    const result = call()
    this.#depth--
    return result
  }
}

/** As Python prints it; the strings of this test have nothing to escape. */
function printed(value: Plain): string {
  if (value === null) return 'None'
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(printed).join(', ')}]`
  if (typeof value === 'number') return String(value)
  const entries = Object.entries(value).map(([key, item]) => `'${key}': ${printed(item)}`)
  return `{${entries.join(', ')}}`
}

const keys = ['a', 'b', 'c', 'd'] as const
const path = fc
  .tuple(
    fc.constantFrom('', '', '', '.', '..', '...'),
    fc.array(fc.constantFrom(...keys, '0', '1'), { minLength: 1, maxLength: 3 }),
  )
  .map(([dots, parts]) => dots + parts.join('.'))
const text = fc.oneof(
  path.map((each) => `\${${each}}`),
  fc
    .array(
      fc.oneof(
        path.map((each) => `\${${each}}`),
        fc.constantFrom('x', ' '),
      ),
      { minLength: 2, maxLength: 3 },
    )
    .map((parts) => parts.join('')),
)
const { plain } = fc.letrec<{ plain: Plain }>((tie) => ({
  plain: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: text, weight: 3 },
    fc.constantFrom<Plain>('v', 7, null),
    fc.dictionary(fc.constantFrom(...keys), tie('plain'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(tie('plain'), { maxLength: 2 }),
  ),
}))
const root = fc.dictionary(fc.constantFrom(...keys), plain, { minKeys: 3, maxKeys: 4, noNullPrototype: true })

test('every value of random configurations is that of a model without memory', () => {
  const told = { values: 0, failures: 0 }
  fc.assert(
    fc.property(root, fc.shuffledSubarray([...keys]), (config, order) => {
      const model = new Model(config)
      const resolution = new Resolution()
      const start = new Place(valueOf(config))
      // One resolution for all, in any order: what it keeps must not be seen.
      for (const key of order.filter((each) => Object.hasOwn(config, each))) {
        const expected = model.resolved([key])
        const found = resolvedAt(resolution, start, key)
        told[expected === failed ? 'failures' : 'values']++
        expect(found).toEqual(expected)
      }
    }),
    { numRuns: 3000 },
  )
  expect(told.values).toBeGreaterThan(500)
  expect(told.failures).toBeGreaterThan(500)
})

function resolvedAt(resolution: Resolution, start: Place, key: string): unknown {
  const place = start.child(key)
  if (place === undefined) throw new TypeError(`no ${key}`)
  try {
    return plainView(resolution.content(resolution.dereference(place)))
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return failed
  }
}

function valueOf(given: Plain): Value {
  if (Array.isArray(given)) return list(given.map(valueOf))
  if (typeof given === 'number') return scalar(BigInt(given))
  if (typeof given !== 'object' || given === null) return scalar(given)
  return map(Object.entries(given).map(([key, item]) => [key, valueOf(item)] as const))
}
