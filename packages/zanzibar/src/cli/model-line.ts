import type { LoadedModel } from './read-store-file.ts'

/** The line in which a model defines a relation, with its place; the name where the text has no such line. */
export function modelLine({ text, path }: LoadedModel, type: string, relation: string): string {
  let current = ''
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/[\s:]+/)
    if (words[0] === 'type' || (words[0] === 'extend' && words[1] === 'type')) current = words.at(-1) ?? ''
    if (words[0] === 'define' && words[1] === relation && current === type)
      return `${path}:${index + 1}: ${line.trim()}`
  }
  return `${path}: ${type}#${relation} is not defined`
}
