import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type BuildResult, build } from 'esbuild'

/** What esbuild makes of `code` for a browser. */
export interface Bundle {
  /** As one script that leaves its exports in `bundle`. */
  readonly script: string
  /** Bytes of the same as a module: `esbuild --bundle --minify --format=esm --platform=browser`. */
  readonly gzipped: number
  /** What it imports from outside. */
  readonly imports: readonly string[]
  /** Bytes of each module of this package that is in it, from its `src`. */
  readonly modules: ReadonlyMap<string, number>
}

export async function bundle(code: string): Promise<Bundle> {
  const [script, module] = await Promise.all([built(code, 'iife'), built(code, 'esm')])
  const [output] = Object.values(module.metafile.outputs)
  if (output === undefined) throw new Error('esbuild has made nothing')
  return {
    script: textOf(script),
    imports: output.imports.map(({ path }) => path),
    gzipped: gzipSync(textOf(module), { level: 9 }).length,
    modules: new Map(
      Object.entries(output.inputs).map(([path, { bytesInOutput }]) => [
        path.replace(/^.*?src\//, ''),
        bytesInOutput,
      ]),
    ),
  }
}

type Built = BuildResult<{ write: false; metafile: true }>

function built(code: string, format: 'esm' | 'iife'): Promise<Built> {
  return build({
    stdin: { contents: code, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format,
    globalName: 'bundle',
    conditions: ['@loadbearing/source'],
    logLevel: 'silent',
  })
}

function textOf({ outputFiles: [file] }: Built): string {
  if (file === undefined) throw new Error('esbuild has made nothing')
  return file.text
}

const entry = '@loadbearing/hydra-config/edge'

/** What a user at the edge imports. */
export const edgeCode = {
  /** Configs that are values, or that the plugin for Vite has read. */
  compose: `export { compose, fromMemory } from '${entry}'`,
  /** Besides, where a value comes from. */
  explain: `export { compose, explain, fromMemory } from '${entry}'`,
  /** Configs that are plain YAML. */
  plain: `export { compose, fromMemory, plainYaml } from '${entry}'`,
  /** Besides, the resolvers of OmegaConf. */
  calls: `export { compose, fromMemory, plainYaml, resolverCalls } from '${entry}'`,
  features: `export { compose, explain, fromMemory, overrideFunctions, userResolvers, wholeYaml } from '${entry}'`,
  everything: `export { compose, fromMemory } from '@loadbearing/hydra-config'`,
} as const
