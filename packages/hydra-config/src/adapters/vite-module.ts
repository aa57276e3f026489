/** The code of a module whose default is a source of these files. */
export function moduleText(files: ReadonlyMap<string, string>): string {
  const entries = [...files].map(([path, text]) => `  [${JSON.stringify(path)}]: ${JSON.stringify(text)},\n`)
  return `import { fromMemory } from '@loadbearing/hydra-config'\nexport default fromMemory({\n${entries.join('')}})\n`
}

/** The declarations of that module, with the configs and options that there are. */
export function typesText(module: string, files: ReadonlyMap<string, string>): string {
  const groups = new Map<string, string[]>()
  for (const path of [...files.keys()].toSorted()) {
    const end = path.lastIndexOf('/')
    const options = groups.get(path.slice(0, Math.max(end, 0))) ?? []
    if (path.endsWith('.yaml')) options.push(path.slice(end + 1, -'.yaml'.length))
    groups.set(path.slice(0, Math.max(end, 0)), options)
  }
  const primary = groups.get('') ?? []
  groups.delete('')
  const lines = [...groups].map(
    ([group, options]) => `    readonly ${JSON.stringify(group)}: ${unionOf(options)}\n`,
  )
  return `// Written by the Vite plugin of @loadbearing/hydra-config.
declare module ${JSON.stringify(module)} {
  import type { ConfigSource } from '@loadbearing/hydra-config'

  const source: ConfigSource
  export default source

  /** The configs outside of groups. */
  export type Config = ${unionOf(primary)}

  /** The options of each config group. */
  export interface Groups {
${lines.join('')}  }
}
`
}

function unionOf(names: readonly string[]): string {
  return names.length === 0 ? 'never' : names.map((name) => JSON.stringify(name)).join(' | ')
}
