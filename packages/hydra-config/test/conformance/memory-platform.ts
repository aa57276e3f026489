import { fromMemory, HydraConfigError } from '@loadbearing/hydra-config'
import type { Platform } from '@loadbearing/hydra-config/app'

export interface MemoryPlatform extends Platform {
  readonly stdout: string
  readonly stderr: string
  /** What was written, by absolute path. */
  readonly written: ReadonlyMap<string, string>
}

/** A machine in memory, whose only directory with files, and current one, is `root`. */
export function memoryPlatform(
  root: string,
  given: Readonly<Record<string, string>>,
  environment: Platform['environment'] = () => undefined,
): MemoryPlatform {
  const files = new Map<string, string>(
    Object.entries(given).map(([path, text]) => [`${root}/${path}`, text] as const),
  )
  const written = new Map<string, string>()
  const variables = new Map<string, string>()
  let stdout = ''
  let stderr = ''
  let directory = root
  const below = (path: string): string[] => {
    const prefix: string = `${path.replace(/\/$/, '')}/`
    return [...files.keys()]
      .filter((file) => file.startsWith(prefix))
      .map((file) => file.slice(prefix.length))
  }
  const resolve = (path: string): string =>
    new URL(path.startsWith('/') ? path : `${directory}/${path}`, 'file://').pathname.replace(/(.)\/$/, '$1')
  return {
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    written,
    clock: () => Date.now(),
    environment: (name) => variables.get(name) ?? environment(name),
    nodeVersion: process.versions.node,
    columns: 80,
    cwd: () => directory,
    resolve,
    out: (text) => {
      stdout += text
    },
    err: (text) => {
      stderr += text
    },
    open: (path) => {
      const folder = resolve(path.replace(/^file:\/\//, ''))
      const there = below(folder)
      const source = fromMemory(
        Object.fromEntries(there.map((file) => [file, files.get(`${folder}/${file}`) ?? ''])),
      )
      return {
        path: path.includes('://') ? path : `file://${folder}`,
        files: () => {
          if (there.length > 0 || folder === root) return source.files()
          throw new HydraConfigError('SOURCE_NOT_FOUND', `there is no directory ${folder}`)
        },
      }
    },
    changeDirectory: (path) => {
      const before = directory
      directory = path
      return () => {
        directory = before
      }
    },
    setEnvironment: (added) => {
      for (const [name, value] of added) variables.set(name, value)
      return () => variables.clear()
    },
    files: {
      makeFolder: () => undefined,
      writeFolder: (path, texts) => {
        for (const [name, text] of texts) written.set(`${path}/${name}`, text)
      },
      writeFile: (path, text) => void written.set(path, text),
      openLog: (path) => {
        written.set(path, written.get(path) ?? '')
        return {
          write: (text) => void written.set(path, `${written.get(path) ?? ''}${text}`),
          close: () => undefined,
        }
      },
      read: (path) => files.get(path) ?? written.get(path),
      isFolder: (path) => below(path).length > 0,
      list: (path) => [...new Set(below(path).map((file) => file.split('/')[0] ?? ''))],
    },
  }
}
