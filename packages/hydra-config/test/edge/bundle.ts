import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type BuildResult, build } from 'esbuild'

/** What esbuild makes of `code` for a browser, as one script that leaves its exports in `bundle`. */
export interface Bundle {
  readonly script: string
  readonly gzipped: number
  /** What it imports from outside. */
  readonly imports: readonly string[]
  /** Bytes of each module of this package that is in it, from its `src`. */
  readonly modules: ReadonlyMap<string, number>
}

export async function bundle(code: string): Promise<Bundle> {
  const result: BuildResult<{ write: false; metafile: true }> = await build({
    stdin: { contents: code, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'bundle',
    target: 'es2024',
    charset: 'utf8',
    conditions: ['@loadbearing/source'],
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  const [output] = Object.values(result.metafile.outputs)
  if (file === undefined || output === undefined) throw new Error('esbuild has made nothing')
  return {
    script: file.text,
    imports: output.imports.map(({ path }) => path),
    gzipped: gzipSync(file.contents, { level: 9 }).length,
    modules: new Map(
      Object.entries(output.inputs).map(([path, { bytesInOutput }]) => [
        path.replace(/^.*?src\//, ''),
        bytesInOutput,
      ]),
    ),
  }
}

/** What a user at the edge imports. */
export const edgeCode = `export { compose, fromMemory } from '@loadbearing/hydra-config'`
