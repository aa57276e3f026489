import { isZanzibarError, parseModel } from '../../src/index.ts'

/** `parse {dsl}`: the model, or an error with the place of the first that is wrong and, in `errors`, of all. */
export function parse(command: Readonly<Record<string, unknown>>): unknown {
  const { dsl } = command
  if (typeof dsl !== 'string')
    throw Object.assign(new TypeError('dsl must be a string'), { code: 'BAD_COMMAND' })
  try {
    const { schema_version: version, ...model } = parseModel(dsl)
    // A module has none.
    return { model: version === '' ? model : { schema_version: version, ...model } }
  } catch (error) {
    if (!isZanzibarError(error)) throw error
    const { code, message, positions } = error
    const [first] = positions
    throw Object.assign(new Error(message), {
      code,
      line: first?.line.start,
      column: first?.column.start,
      errors: positions,
    })
  }
}
