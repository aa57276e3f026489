import { SOURCE_CONDITION } from './manifest.ts'

/** What the umbrella package holds for the given pattern folders; its own files must say exactly this. */
export function umbrellaFiles(patterns: readonly string[]): {
  /** Path from the umbrella's folder to text. */
  readonly sources: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
} {
  const sorted = patterns.toSorted()
  return {
    sources: {
      'src/index.ts': sorted
        .map((folder) => `export * as ${namespace(folder)} from '@loadbearing/${folder}'\n`)
        .join(''),
      ...Object.fromEntries(
        sorted.map((folder) => [`src/${folder}.ts`, `export * from '@loadbearing/${folder}'\n`]),
      ),
    },
    exports: {
      '.': entry('index'),
      ...Object.fromEntries(sorted.map((folder) => [`./${folder}`, entry(folder)])),
      './package.json': './package.json',
    },
    dependencies: Object.fromEntries(sorted.map((folder) => [`@loadbearing/${folder}`, 'workspace:^'])),
  }
}

/** The namespace under which the umbrella's root exports a package: `hydra-config` is `hydraConfig`. */
export function namespace(folder: string): string {
  return folder.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function entry(name: string): Record<string, string> {
  return {
    [SOURCE_CONDITION]: `./src/${name}.ts`,
    types: `./dist/${name}.d.ts`,
    default: `./dist/${name}.js`,
  }
}
