import { checkModel } from '../given-kinds.ts'
import type { AuthorizationModel, TypeDefinition, Userset } from './authorization-model.ts'
import { foldRewrite } from './fold-rewrite.ts'
import { restrictionsOf } from './impossible-relations.ts'
import { printParameterType, printReference } from './print-model.ts'

/** A model as a TypeScript module that defines it with `defineModel`; `export const model`. */
export function printTypedModel(model: AuthorizationModel): string {
  checkModel('model', model)
  const types = model.type_definitions.map((type) => {
    const relations = Object.entries(type.relations ?? {}).map(
      ([relation, rewrite]) => `    ${key(relation)}: ${printDefinition(type, relation, rewrite)},\n`,
    )
    return `  ${key(type.type)}: {${relations.length > 0 ? `\n${relations.join('')}  ` : ''}},\n`
  })
  const conditions = Object.entries(model.conditions ?? {}).map(([name, { parameters, expression }]) => {
    const list = Object.entries(parameters ?? {}).map(
      ([parameter, type]) => `${key(parameter)}: ${JSON.stringify(printParameterType(type))}`,
    )
    return `  ${key(name)}: { parameters: { ${list.join(', ')} }, expression: ${JSON.stringify(expression)} },\n`
  })
  const definitions = `{\n${types.join('')}}`
  const text = conditions.length > 0 ? `${definitions}, {\n${conditions.join('')}}` : definitions
  const used = ['and', 'butNot', 'direct', 'from', 'or'].filter((name) => text.includes(`${name}(`))
  return `import { ${['defineModel', ...used].toSorted().join(', ')} } from '@loadbearing/zanzibar'

export const model = defineModel(${text})
`
}

/** As a key of an object: `__proto__` must not become its prototype. */
function key(name: string): string {
  if (name === '__proto__') return `['__proto__']`
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)
}

function printDefinition(type: TypeDefinition, relation: string, rewrite: Userset): string {
  return foldRewrite<string>(rewrite, (at, operands) => {
    if ('this' in at) {
      return `direct(${restrictionsOf(type, relation)
        .map((reference) => JSON.stringify(printReference(reference)))
        .join(', ')})`
    }
    if ('computedUserset' in at) return JSON.stringify(at.computedUserset.relation)
    if ('tupleToUserset' in at) {
      const { computedUserset, tupleset } = at.tupleToUserset
      return `from(${JSON.stringify(computedUserset.relation)}, ${JSON.stringify(tupleset.relation)})`
    }
    if ('union' in at) return `or(${operands.join(', ')})`
    return `${'intersection' in at ? 'and' : 'butNot'}(${operands.join(', ')})`
  })
}
