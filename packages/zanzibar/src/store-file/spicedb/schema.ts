import {
  type AuthorizationModel,
  type ConditionDefinition,
  type ParameterType,
  parameterTypeNames,
  type RelationReference,
  type TypeDefinition,
  type Userset,
} from '../../model/authorization-model.ts'
import { SchemaTokens } from './tokens.ts'

/**
 * A schema of SpiceDB as a model: relations are what may be assigned, permissions what they are made of, caveats are
 * conditions.
 *
 * @throws ZanzibarError `invalid_syntax`, naming the place, also for what a model of OpenFGA cannot say: `nil`, `self`,
 *   `.all()`, expiration, arrows along permissions, usersets or wildcards
 */
export function parseSpiceDbSchema(text: string): AuthorizationModel {
  return new SchemaReader(text).read()
}

interface Definition {
  readonly relations: Map<string, Userset>
  readonly restrictions: Map<string, readonly RelationReference[]>
}

interface Arrow {
  readonly definition: Definition
  readonly relation: string
  readonly at: number
}

// Deeper than a permission that anybody reads, and shallower than the stack.
const maxDepth = 100

class SchemaReader {
  readonly #tokens: SchemaTokens
  readonly #definitions = new Map<string, Definition>()
  readonly #conditions = new Map<string, ConditionDefinition>()
  readonly #arrows: Arrow[] = []

  constructor(text: string) {
    this.#tokens = new SchemaTokens(text)
  }

  read(): AuthorizationModel {
    while (this.#tokens.next.text !== '') {
      if (this.#tokens.taken('definition')) this.#readDefinition()
      else if (this.#tokens.taken('caveat')) this.#readCaveat()
      else this.#tokens.refuse(`expected definition or caveat, found ${this.#tokens.next.text}`)
    }
    for (const arrow of this.#arrows) this.#checkArrow(arrow)
    const types = [...this.#definitions].map(([type, { relations, restrictions }]): TypeDefinition => {
      if (relations.size === 0) return { type }
      const allowed = [...restrictions].map(([relation, users]) => [
        relation,
        { directly_related_user_types: users },
      ])
      return {
        type,
        relations: Object.fromEntries(relations),
        metadata: { relations: Object.fromEntries(allowed) },
      }
    })
    return {
      schema_version: '1.1',
      type_definitions: types,
      ...(this.#conditions.size > 0 && { conditions: Object.fromEntries(this.#conditions) }),
    }
  }

  #readDefinition(): void {
    const { at } = this.#tokens.next
    const type = this.#tokens.name('a name')
    if (this.#definitions.has(type)) this.#tokens.refuse(`${type} is defined already`, at)
    const definition: Definition = { relations: new Map(), restrictions: new Map() }
    this.#definitions.set(type, definition)
    this.#tokens.expect('{')
    while (!this.#tokens.taken('}')) {
      const word = this.#tokens.name('relation or permission')
      const name = this.#tokens.name('a name')
      if (definition.relations.has(name)) this.#tokens.refuse(`${name} is defined already`)
      if (word === 'relation') {
        this.#tokens.expect(':')
        definition.relations.set(name, { this: {} })
        definition.restrictions.set(name, this.#users())
      } else if (word === 'permission') {
        this.#tokens.expect('=')
        definition.relations.set(name, this.#expression(definition, 0))
      } else this.#tokens.refuse(`expected relation or permission, found ${word}`)
    }
  }

  #users(): readonly RelationReference[] {
    const users: RelationReference[] = []
    do users.push(this.#user())
    while (this.#tokens.taken('|'))
    return users
  }

  #user(): RelationReference {
    const type = this.#tokens.name('a type')
    let relation: string | undefined
    let isEveryone = false
    if (this.#tokens.taken(':')) {
      this.#tokens.expect('*')
      isEveryone = true
    } else if (this.#tokens.taken('#') && !this.#tokens.taken('...')) {
      relation = this.#tokens.name('a relation')
    }
    const condition = this.#tokens.taken('with') ? this.#caveat() : undefined
    return {
      type,
      ...(relation !== undefined && { relation }),
      ...(isEveryone && { wildcard: {} }),
      ...(condition !== undefined && { condition }),
    }
  }

  #caveat(): string {
    const { at } = this.#tokens.next
    const name = this.#tokens.name('a caveat')
    if (name === 'expiration' || this.#tokens.next.text === 'and')
      this.#tokens.refuse('what expires cannot be imported', at)
    return name
  }

  /** `+` binds before `&`, and that before `-`. */
  #expression(definition: Definition, depth: number): Userset {
    if (depth > maxDepth) this.#tokens.refuse(`more than ${maxDepth} parentheses in each other`)
    let base = this.#intersection(definition, depth)
    while (this.#tokens.taken('-'))
      base = { difference: { base, subtract: this.#intersection(definition, depth) } }
    return base
  }

  #intersection(definition: Definition, depth: number): Userset {
    const child = [this.#union(definition, depth)]
    while (this.#tokens.taken('&')) child.push(this.#union(definition, depth))
    const [only] = child
    return child.length === 1 && only !== undefined ? only : { intersection: { child } }
  }

  #union(definition: Definition, depth: number): Userset {
    const child = [this.#operand(definition, depth)]
    while (this.#tokens.taken('+')) child.push(this.#operand(definition, depth))
    const [only] = child
    return child.length === 1 && only !== undefined ? only : { union: { child } }
  }

  #operand(definition: Definition, depth: number): Userset {
    if (this.#tokens.taken('(')) {
      const inner = this.#expression(definition, depth + 1)
      this.#tokens.expect(')')
      return inner
    }
    const { at } = this.#tokens.next
    const relation = this.#tokens.name('a relation or a permission')
    if (relation === 'nil' || relation === 'self')
      this.#tokens.refuse(`${relation} cannot be said in a model`, at)
    const computed = this.#arrowTo()
    if (computed === undefined) return { computedUserset: { relation } }
    this.#arrows.push({ definition, relation, at })
    return { tupleToUserset: { tupleset: { relation }, computedUserset: { relation: computed } } }
  }

  /** What follows an arrow, `->x` or `.any(x)`; undefined where there is none. */
  #arrowTo(): string | undefined {
    const { at } = this.#tokens.next
    let computed: string | undefined
    if (this.#tokens.taken('->')) computed = this.#tokens.name('a relation or a permission')
    else if (this.#tokens.taken('.')) {
      const how = this.#tokens.name('any or all')
      if (how !== 'any') this.#tokens.refuse(`.${how}() cannot be said in a model`, at)
      this.#tokens.expect('(')
      computed = this.#tokens.name('a relation or a permission')
      this.#tokens.expect(')')
    }
    if (computed !== undefined && this.#tokens.next.text === '->')
      this.#tokens.refuse('one arrow after another cannot be said in a model')
    return computed
  }

  #checkArrow({ definition, relation, at }: Arrow): void {
    const users = definition.restrictions.get(relation)
    if (users === undefined) this.#tokens.refuse(`an arrow along ${relation}, which is no relation`, at)
    if (users.some((user) => user.relation !== undefined || user.wildcard !== undefined))
      this.#tokens.refuse(`an arrow along ${relation}, which also has usersets or wildcards`, at)
  }

  #readCaveat(): void {
    const name = this.#tokens.name('a name')
    this.#tokens.expect('(')
    const parameters: [string, ParameterType][] = []
    while (!this.#tokens.taken(')')) {
      if (parameters.length > 0) this.#tokens.expect(',')
      parameters.push([this.#tokens.name('a parameter'), this.#parameterType(0)])
    }
    const expression = this.#tokens.braced()
    this.#conditions.set(name, { name, expression, parameters: Object.fromEntries(parameters) })
  }

  #parameterType(depth: number): ParameterType {
    const { at } = this.#tokens.next
    const word = this.#tokens.name('a type')
    const type = parameterTypeNames.find((each) => each === `TYPE_NAME_${word.toUpperCase()}`)
    if (type === undefined || depth > 1) this.#tokens.refuse(`${word} is no type of a parameter`, at)
    if (!this.#tokens.taken('<')) return { type_name: type }
    const of = this.#parameterType(depth + 1)
    this.#tokens.expect('>')
    return { type_name: type, generic_types: [of] }
  }
}
