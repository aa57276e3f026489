import { bundle, edgeCode } from './bundle.ts'

/** Prints the size of the bundle for the edge, gzipped, and what each folder of `src` adds before that. */
const { gzipped, modules } = await bundle(edgeCode)
const folders = Map.groupBy(modules, ([path]) =>
  path.includes('node_modules') ? 'node_modules' : path.split('/', 1)[0],
)
console.log(`${gzipped} bytes gzipped`)
for (const [folder, parts] of folders) {
  console.log(`${parts.reduce((sum, [, bytes]) => sum + bytes, 0)}\t${folder}`)
}
