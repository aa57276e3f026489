import { type Command, type Field, field } from '@loadbearing/harness/conformance'
import { dumpYaml, merge, parseYaml, select } from '@loadbearing/hydra-config'
import { tagValue } from './tag-value.ts'

/** The operations of the port on values. */
export const valuesOperations: Record<
  'yaml' | 'dump' | 'merge' | 'interpolate',
  (command: Command) => object
> = {
  yaml: (command) => ({ value: tagValue(parseYaml(textOf(command))) }),
  dump: (command) => ({ text: dumpYaml(parseYaml(textOf(command))) }),
  merge: (command) => {
    const [first, ...others] = field(command, 'texts').list((text: Field) => parseYaml(text.string()))
    const merged = others.reduce((dest, src) => merge(dest, src), first ?? parseYaml(''))
    return { value: tagValue(merged) }
  },
  interpolate: (command) => {
    const value = select(parseYaml(textOf(command)), field(command, 'key').string(), {
      environment: (name) => process.env[name],
      throwOnMissing: true,
    })
    return { value: value === undefined ? null : tagValue(value) }
  },
}

function textOf(command: Command): string {
  return field(command, 'text').string()
}
