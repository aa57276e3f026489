import { map, scalar, type Value } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { update } from './edit.ts'

/**
 * A configuration of texts such as `db.port=5432`, as `OmegaConf.from_dotlist` makes it: each value is YAML, and null
 * where there is no `=`.
 * @throws {HydraConfigError} `YAML_INVALID`, or as {@link update}
 */
export function fromDotlist(texts: readonly string[]): Value {
  let config: Value = map([])
  for (const text of texts) {
    const at = text.indexOf('=')
    const path = at === -1 ? text : text.slice(0, at)
    config = update(config, path, at === -1 ? scalar(null) : yamlValue(text.slice(at + 1)))
  }
  return config
}

/** Any value of YAML, also a scalar: what stands in a list of one. */
function yamlValue(text: string): Value {
  const list = parseYaml(`-\n${text.replace(/^/gm, '  ')}\n`)
  return (list.kind === 'list' ? list.items[0] : undefined) ?? scalar(null)
}
