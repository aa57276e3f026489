import { HydraConfigError, isHydraConfigError, placed, placedError } from '../errors.ts'
import { checkInterpolation } from '../interpolation/check.ts'
import { type ConfigFile, map, scalar, type Value } from '../value/value.ts'
import { readBlockYaml } from './block-reader.ts'
import { constructDocument } from './construct.ts'
import { composeDocument } from './document.ts'
import { markAt, yamlError } from './errors.ts'

// Aliases are written out when a configuration is read; a bomb of them ends here.
const valuesMax = 1_000_000
const depthMax = 400

/**
 * Reads a configuration as `OmegaConf.create(text)` of OmegaConf 2.3: YAML 1.1 of PyYAML's safe loader with
 * OmegaConf's floats, without timestamps, and with an error for a string key that is there twice. An empty text is
 * `{}`, a lone string a map of it to null. Every value knows its place where `file` is given.
 * @throws HydraConfigError `YAML_INVALID`, or `INTERPOLATION_PARSE` for a `${` that does not parse; both with `class`
 */
export function parseYaml(text: string, file?: ConfigFile): Value {
  return readBlockYaml(text, { file, check: checkInterpolation }) ?? readWholeYaml(text, file)
}

/** As {@link parseYaml}, always by the reader of all of YAML 1.1. */
export function readWholeYaml(text: string, file?: ConfigFile): Value {
  try {
    return readDocument(text, file)
  } catch (error) {
    throw isHydraConfigError(error) ? placedIn(error, text, file) : error
  }
}

/** The error with its offset in characters, for the readers count in UTF-16 units, and with its place in the file. */
function placedIn(error: HydraConfigError, text: string, file: ConfigFile | undefined): HydraConfigError {
  const { code, message, offset, class: ofClass, cause } = error
  if (offset === undefined || code !== 'YAML_INVALID') return error
  const { line, column } = markAt(text, offset)
  return new HydraConfigError(code, message, {
    class: ofClass,
    offset: Array.from(text.slice(0, offset)).length,
    cause,
    origin: error.origin ?? (file && { kind: 'file', ...file, line: line + 1, column: column + 1 }),
  })
}

function readDocument(text: string, file: ConfigFile | undefined): Value {
  const node = composeDocument(text)
  if (node === undefined) return map([])
  const { root: value, unsupported } = constructDocument(node, file)
  if (value.kind === 'unsupported') throw notAConfiguration(value.type)
  if (value.kind === 'scalar') {
    if (value.value === null) return map([])
    if (typeof value.value === 'string') return map([[value.value, scalar(null, value.origin)]])
    throw notAConfiguration(typeof value.value)
  }
  check(value, unsupported)
  return value
}

function notAConfiguration(type: string): Error {
  return yamlError('AssertionError', `a configuration is a map, a list or a string, not a ${type}`)
}

/** Refuses what a configuration cannot hold, in the order of the text. */
function check(root: Value, unsupported: ReadonlyMap<Value, string>): void {
  let count = 0
  const parents = new Set<Value>()
  const visit = (value: Value): void => {
    if (++count > valuesMax) throw yamlError('RecursionError', `aliases give more than ${valuesMax} values`)
    if (value.kind === 'scalar') return checkScalar(value, unsupported.get(value))
    if (parents.has(value)) throw yamlError('RecursionError', 'a value holds itself through an alias')
    if (parents.size >= depthMax) {
      throw yamlError('RecursionError', `aliases nest values deeper than ${depthMax}`)
    }
    parents.add(value)
    if (value.kind === 'list') {
      for (const item of value.items) visit(item)
    } else {
      for (const [key, item] of value.entries) {
        if (key === null) throw placedError(yamlError('KeyValidationError', 'null cannot be a key'), value)
        visit(item)
      }
    }
    parents.delete(value)
  }
  visit(root)
}

function checkScalar(value: Value & { kind: 'scalar' }, unsupported: string | undefined): void {
  if (unsupported !== undefined) {
    throw placedError(
      yamlError('UnsupportedValueType', `a ${unsupported} is no value of a configuration`),
      value,
    )
  }
  if (typeof value.value === 'string' && value.value.includes('${')) {
    const text = value.value
    placed(value, () => checkInterpolation(text))
  }
}
