import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'

const home = join(import.meta.dirname, '../..')

/**
 * Bytes, gzipped, of what a user's bundler makes of `code` and the package as it is published: with the code of all
 * entries in a few shared files, of which a bundler takes all that it cannot prove to be without effect.
 */
export async function publishedSize(code: string): Promise<number> {
  const files = await publishedFiles()
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: home, loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    logLevel: 'silent',
    plugins: [published(files)],
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild has made nothing')
  return gzipSync(file.text, { level: 9 }).length
}

/** The files of `dist` by name, as the build of the house makes them. */
async function publishedFiles(): Promise<ReadonlyMap<string, string>> {
  const { exports }: { exports: Record<string, string | Record<string, string>> } = JSON.parse(
    readFileSync(join(home, 'package.json'), 'utf8'),
  )
  const sources = Object.values(exports).flatMap((each) =>
    typeof each === 'string' ? [] : [join(home, each['@loadbearing/source'] ?? '')],
  )
  const { outputFiles } = await build({
    entryPoints: sources,
    bundle: true,
    splitting: true,
    write: false,
    outdir: 'dist',
    platform: 'node',
    target: 'node22',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  })
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
}

/** Finds the edge entry, and what it imports, among the files. */
function published(files: ReadonlyMap<string, string>): Plugin {
  return {
    name: 'published',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@loadbearing\/hydra-config\/edge$/ }, () => found('edge.js'))
      onResolve({ filter: /^\.\//, namespace: 'published' }, ({ path }) => found(basename(path)))
      onLoad({ filter: /.*/, namespace: 'published' }, ({ path }) => ({
        contents: files.get(path) ?? '',
        resolveDir: home,
      }))
    },
  }
}

function found(path: string): { path: string; namespace: string; sideEffects: boolean } {
  return { path, namespace: 'published', sideEffects: false }
}
