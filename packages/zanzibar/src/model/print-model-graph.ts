import { checkModel } from '../given-kinds.ts'
import type { AuthorizationModel, TypeDefinition, Userset } from './authorization-model.ts'
import { restrictionsOf } from './impossible-relations.ts'

interface Edge {
  readonly from: number
  readonly to: number
  readonly attribute: string
}

/**
 * A model's graph in DOT, as OpenFGA's tools draw it (`openfga/language:pkg/go/graph`): from users up to the relations
 * that they lead to. Conditions are not drawn.
 */
export function printModelGraph(model: AuthorizationModel): string {
  checkModel('model', model)
  const { labels, edges } = new ModelGraph(model)
  const nodes = labels.map((label, id) => `${id} [label=${identifier(label)}];\n`)
  const lines = edges
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .map(({ from, to, attribute }) => `${from} -> ${to}${attribute === '' ? '' : ` [${attribute}]`};\n`)
  const definitions = [
    nodes.length === 0 ? '' : `\n// Node definitions.\n${nodes.join('')}`,
    lines.length === 0 ? '' : `\n// Edge definitions.\n${lines.join('')}`,
  ]
  return `digraph {\ngraph [\nrankdir=BT\n];\n${definitions.join('')}}`
}

class ModelGraph {
  /** By node. */
  readonly labels: string[] = []
  readonly edges: Edge[] = []
  readonly #named = new Map<string, number>()
  readonly #drawn = new Set<string>()
  readonly #types: ReadonlyMap<string, TypeDefinition>

  constructor({ type_definitions: definitions }: AuthorizationModel) {
    this.#types = new Map(definitions.map((each) => [each.type, each]))
    for (const definition of definitions.toSorted((a, b) => compare(a.type, b.type))) {
      this.#node(definition.type)
      const relations = Object.entries(definition.relations ?? {}).toSorted(([a], [b]) => compare(a, b))
      for (const [relation, rewrite] of relations) this.#draw(rewrite, definition, relation)
    }
  }

  // Without recursion: a rewrite may be deep.
  #draw(whole: Userset, definition: TypeDefinition, relation: string): void {
    const root = this.#node(`${definition.type}#${relation}`)
    const open = [{ rewrite: whole, to: root }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { rewrite, to } = next
      if ('this' in rewrite) this.#direct(definition, relation, to)
      else if ('computedUserset' in rewrite) {
        const from = this.#node(`${definition.type}#${rewrite.computedUserset.relation}`)
        this.edges.push({ from, to, attribute: to === root ? 'style=dashed' : '' })
      } else if ('tupleToUserset' in rewrite) this.#from(definition, rewrite.tupleToUserset, to)
      else {
        const [operator, operands] = operation(rewrite)
        const node = this.labels.push(operator) - 1
        this.edges.push({ from: node, to, attribute: '' })
        for (const operand of operands.toReversed()) open.push({ rewrite: operand, to: node })
      }
    }
  }

  #direct(definition: TypeDefinition, relation: string, to: number): void {
    for (const { type, relation: userset, wildcard } of restrictionsOf(definition, relation)) {
      const shape = wildcard === undefined ? (userset ? `#${userset}` : '') : ':*'
      this.#once({ from: this.#node(`${type}${shape}`), to, attribute: 'label=direct' })
    }
  }

  #from(
    definition: TypeDefinition,
    { tupleset, computedUserset }: Extract<Userset, { tupleToUserset: object }>['tupleToUserset'],
    to: number,
  ): void {
    for (const { type } of restrictionsOf(definition, tupleset.relation)) {
      if (!Object.hasOwn(this.#types.get(type)?.relations ?? {}, computedUserset.relation)) continue
      const from = this.#node(`${type}#${computedUserset.relation}`)
      const along = `(${definition.type}#${tupleset.relation})`
      this.#once({ from, to, attribute: `headlabel=${identifier(along)}` })
    }
  }

  #once(edge: Edge): void {
    const key = `${edge.from} ${edge.to} ${edge.attribute}`
    if (this.#drawn.has(key)) return
    this.#drawn.add(key)
    this.edges.push(edge)
  }

  #node(label: string): number {
    const found = this.#named.get(label)
    if (found !== undefined) return found
    const node = this.labels.push(label) - 1
    this.#named.set(label, node)
    return node
  }
}

function operation(
  rewrite: Extract<Userset, { union: object } | { intersection: object } | { difference: object }>,
): readonly [name: string, operands: readonly Userset[]] {
  if ('union' in rewrite) return ['union', rewrite.union.child]
  if ('intersection' in rewrite) return ['intersection', rewrite.intersection.child]
  return ['exclusion', [rewrite.difference.base, rewrite.difference.subtract]]
}

const keywords: ReadonlySet<string> = new Set(['node', 'edge', 'graph', 'digraph', 'subgraph', 'strict'])

/** As DOT writes a name. */
function identifier(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name) && !keywords.has(name.toLowerCase())) return name
  return `"${name.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
