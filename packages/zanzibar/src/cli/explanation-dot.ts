import type { Explanation, Proof, Reason } from '../graph/explain.ts'
import type { Tuple, TupleKey } from '../tuple/tuple.ts'

/**
 * An explanation in DOT: from the user up to what it has, along the tuples that give it; of a no what blocks it, or what
 * would give it, dashed.
 */
export function explanationDot(explanation: Explanation, { user, relation, object }: TupleKey): string {
  const drawing = new Drawing()
  const asked = `${object}#${relation}`
  if (explanation.allowed) drawing.proof(explanation.proof, user)
  else {
    const { blocking, unmet, missing } = explanation
    drawing.node(asked)
    for (const tuple of blocking) drawing.tuple(tuple, 'blocks', 'color=red')
    for (const { tuple, condition } of unmet) drawing.tuple(tuple, `if ${condition} held`, 'style=dashed')
    for (const tuple of missing) drawing.tuple(tuple, 'is missing', 'style=dashed')
  }
  return drawing.text()
}

class Drawing {
  readonly #ids = new Map<string, number>()
  readonly #edges = new Set<string>()

  node(label: string): number {
    const id = this.#ids.get(label) ?? this.#ids.size
    this.#ids.set(label, id)
    return id
  }

  tuple({ user, relation, object }: Tuple, label: string, style: string): void {
    this.#edge(user, `${object}#${relation}`, label, style)
  }

  proof({ userset, because }: Proof, user: string): void {
    this.#reason(because, userset, user)
  }

  /** Without recursion into what is as deep as the tuples go. */
  #reason(whole: Reason, of: string, user: string): void {
    const open = [{ reason: whole, to: of }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { reason, to } = next
      switch (reason.kind) {
        case 'itself':
          this.#edge(user, to, 'is the same', '')
          break
        case 'tuple':
          this.#edge(reason.tuple.user, to, labelOf(reason.tuple), '')
          break
        case 'userset':
          this.#edge(reason.of.userset, to, labelOf(reason.tuple), '')
          open.push({ reason: reason.of.because, to: reason.of.userset })
          break
        case 'computed':
          this.#edge(reason.of.userset, to, '', 'style=dashed')
          open.push({ reason: reason.of.because, to: reason.of.userset })
          break
        case 'all':
          for (const each of reason.of) open.push({ reason: each, to })
          break
        case 'butNot':
          open.push({ reason: reason.base, to })
          break
      }
    }
  }

  text(): string {
    const nodes = [...this.#ids].map(([label, id]) => `${id} [label=${quoted(label)}];\n`)
    return `digraph {\ngraph [\nrankdir=BT\n];\n${nodes.join('')}${[...this.#edges].join('')}}`
  }

  #edge(from: string, to: string, label: string, style: string): void {
    const attributes = [label === '' ? '' : `label=${quoted(label)}`, style].filter((each) => each !== '')
    const drawn = attributes.length === 0 ? '' : ` [${attributes.join(', ')}]`
    this.#edges.add(`${this.node(from)} -> ${this.node(to)}${drawn};\n`)
  }
}

function labelOf({ relation, object, condition }: Tuple): string {
  return `${relation} ${object}${condition === undefined ? '' : ` with ${condition.name}`}`
}

/** Line ends cannot be in names; a quote and a backslash can. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
