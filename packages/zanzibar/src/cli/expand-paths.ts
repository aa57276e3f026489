import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ZanzibarError } from '../errors.ts'

/**
 * Paths with a `*` as the files that fit, sorted; for shells that leave them as they are. `*` stands for any part of a name,
 * `**` for any folders.
 *
 * @throws ZanzibarError `invalid_option` where no file fits
 */
export async function expandPaths(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(
    paths.map(async (path) => (path.includes('*') ? await filesLike(path) : [path])),
  )
  return files.flat()
}

async function filesLike(pattern: string): Promise<readonly string[]> {
  const parts = pattern.split('/')
  const folder = parts.slice(
    0,
    parts.findIndex((part) => part.includes('*')),
  )
  const root = folder.length === 0 ? '.' : folder.join('/') || '/'
  const below = parts.slice(folder.length)
  const form = new RegExp(`^${below.map(partForm).join('').replace(/\/$/, '')}$`)
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => form.test(relativeTo(root, file)))
  if (files.length === 0) throw new ZanzibarError('invalid_option', `no file is like ${pattern}`)
  return files.toSorted()
}

/** Each part but `**` ends with a slash, the last one too. */
function partForm(part: string): string {
  if (part === '**') return '(?:[^/]+/)*'
  return `${part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '[^/]*')}/`
}

function relativeTo(root: string, file: string): string {
  const path = root === '.' ? file : file.slice(join(root, sep).length)
  return path.split(sep).join('/')
}
