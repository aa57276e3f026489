import { pythonFloat } from '../value/python-text.ts'
import { type Scalar, type ScalarValue, scalar, type Value } from '../value/value.ts'
import { encodeBase64 } from './base64.ts'
import { yamlError } from './errors.ts'
import { styleOf } from './scalar-style.ts'
import { Writer } from './writer.ts'

// What PyYAML takes for a key on one line, its tag (`!!str`) counted.
const keyLengthMax = 128

// OmegaConf runs out of Python's stack before.
const depthMax = 1000

/**
 * Writes a configuration as `OmegaConf.to_yaml` of OmegaConf 2.3 does, byte by byte; interpolations stay as they are.
 * @throws HydraConfigError `YAML_INVALID` of class `RecursionError` for values nested deeper than 1000
 */
export function dumpYaml(value: Value): string {
  const dump = new Dump()
  dump.node(value, false)
  return dump.text()
}

class Dump {
  readonly #writer = new Writer()
  #depth = 0

  text(): string {
    this.#writer.line()
    return this.#writer.toString()
  }

  node(value: Value, inMap: boolean): void {
    if (++this.#depth > depthMax)
      throw yamlError('RecursionError', `values are nested deeper than ${depthMax}`)
    this.#content(value, inMap)
    this.#depth--
  }

  #content(value: Value, inMap: boolean): void {
    if (value.kind === 'list') this.#list(value.items, inMap)
    else if (value.kind === 'map') this.#map([...value.entries])
    else this.#scalar(value, false)
  }

  #list(items: readonly Value[], inMap: boolean): void {
    const writer = this.#writer
    if (items.length === 0) return this.#empty('[', ']')
    writer.deeper(
      () => {
        for (const item of items) {
          writer.line()
          writer.indicator('-', true, { leading: true })
          this.node(item, false)
        }
      },
      { indentless: inMap && !writer.isLeading },
    )
  }

  #map(entries: readonly (readonly [Scalar, Value])[]): void {
    const writer = this.#writer
    if (entries.length === 0) return this.#empty('{', '}')
    writer.deeper(() => {
      for (const [key, value] of entries) {
        writer.line()
        if (isSimpleKey(key)) {
          this.#scalar(scalar(key), true)
          writer.indicator(':', false)
        } else {
          writer.indicator('?', true, { leading: true })
          this.#scalar(scalar(key), false)
          writer.line()
          writer.indicator(':', true, { leading: true })
        }
        this.node(value, true)
      }
    })
  }

  #empty(open: string, close: string): void {
    this.#writer.indicator(open, true, { blank: true })
    this.#writer.indicator(close, false)
  }

  #scalar({ value }: ScalarValue, asKey: boolean): void {
    const writer = this.#writer
    writer.deeper(
      () => {
        if (value instanceof Uint8Array) {
          writer.indicator('!!binary', true)
          if (value.length === 0) writer.double('', false)
          else writer.literal(encodeBase64(value))
        } else if (typeof value === 'string') {
          writer[styleOf(value, asKey).style](value, !asKey)
        } else {
          writer.plain(plainText(value), !asKey)
        }
      },
      { flow: true },
    )
  }
}

function isSimpleKey(key: Scalar): boolean {
  if (key instanceof Uint8Array) return false
  if (typeof key !== 'string') return plainText(key).length + tagLength(key) < keyLengthMax
  return key !== '' && !styleOf(key, true).multiline && Array.from(key).length + '!!str'.length < keyLengthMax
}

function tagLength(key: null | boolean | bigint | number): number {
  if (key === null || typeof key === 'boolean') return '!!bool'.length
  return typeof key === 'bigint' ? '!!int'.length : '!!float'.length
}

function plainText(value: null | boolean | bigint | number): string {
  return typeof value === 'number' ? floatText(value) : String(value)
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf'
  const text = pythonFloat(value)
  return text.includes('.') ? text : text.replace('e', '.0e')
}
