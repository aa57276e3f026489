import type { Mark } from './errors.ts'

/** A node of YAML's graph: a tag and text or other nodes; what is aliased is one node at several places. */
export type YamlNode = ScalarNode | SequenceNode | MappingNode

interface ScalarNode {
  readonly kind: 'scalar'
  tag: string
  readonly text: string
  readonly mark: Mark
}

export interface SequenceNode {
  readonly kind: 'sequence'
  readonly tag: string
  readonly items: YamlNode[]
  readonly mark: Mark
}

export interface MappingNode {
  readonly kind: 'mapping'
  readonly tag: string
  /** Replaced when merge keys are written out. */
  pairs: [key: YamlNode, value: YamlNode][]
  readonly mark: Mark
}

/** What the tags of YAML's own types begin with. */
export const yamlTag = 'tag:yaml.org,2002:'
