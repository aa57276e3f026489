import { type Command, type Field, field, servePort } from '@loadbearing/harness/conformance'
import {
  type ComposeOptions,
  compose,
  defaultsList,
  fromMemory,
  parseOverride,
  sweep,
} from '@loadbearing/hydra-config'
import { checkSemantics, type Semantics } from '../../src/semantics.ts'
import { cli } from './cli-operation.ts'
import { tagElement } from './tag.ts'
import { tagValue } from './tag-value.ts'
import { valuesOperations } from './values-operations.ts'

await servePort({ cli, override, defaults, compose: composed, sweep: swept, ...valuesOperations })

function override(command: Command): object {
  const { key, package: ofPackage, type, value } = parseOverride(field(command, 'text').string())
  return { key, package: ofPackage ?? null, type, value: tagElement(value) }
}

async function defaults(command: Command): Promise<object> {
  const list = await defaultsList(optionsOf(command))
  return { list: list.map(({ config, package: ofPackage }) => ({ config, package: ofPackage })) }
}

async function composed(command: Command): Promise<object> {
  const { tree } = await compose(optionsOf(command))
  const resolve = field(command, 'resolve').optional((each) => each.boolean()) ?? false
  return { value: tagValue(resolve ? tree.resolved() : tree.raw) }
}

async function swept(command: Command): Promise<object> {
  return { jobs: await sweep(optionsOf(command)) }
}

function optionsOf(command: Command): ComposeOptions {
  const text = (each: Field): string => each.string()
  return {
    source: fromMemory(field(command, 'files').record(text)),
    config: field(command, 'config').string(),
    overrides: field(command, 'overrides').optional((list) => list.list(text)) ?? [],
    semantics: field(command, 'semantics').optional(semanticsOf) ?? 'hydra-1.3',
  }
}

function semanticsOf(each: Field): Semantics {
  const semantics: unknown = each.string()
  checkSemantics(semantics)
  return semantics
}
