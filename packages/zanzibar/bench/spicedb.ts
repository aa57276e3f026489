import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { v1 } from '@authzed/authzed-node'
import type { Prepared } from '@loadbearing/harness/bench'
import { freePort } from '@loadbearing/harness/faults'
import { onPath } from '../test/openfga.ts'
import { type Triple, workload } from './workloads.ts'

/** SpiceDB's program, of PATH or of the environment's `SPICEDB`. */
export function spiceDbProgram(): string | undefined {
  return process.env['SPICEDB'] ?? onPath('spicedb')
}

const token = 'bench'

/** A SpiceDB with its data in memory, asked by its own client. */
export async function spiceDbMemory({ name }: { readonly name: string }): Promise<Prepared<Triple>> {
  const { spiceDbSchema: schema, tuples } = workload(name)
  if (schema === undefined) throw new Error(`${name} has no schema of SpiceDB`)
  const client = v1.NewClient(token, await start(), v1.ClientSecurity.INSECURE_PLAINTEXT_CREDENTIALS).promises
  await until(() => client.writeSchema(v1.WriteSchemaRequest.create({ schema })))
  await client.writeRelationships(
    v1.WriteRelationshipsRequest.create({
      updates: tuples.map((tuple) => ({
        operation: v1.RelationshipUpdate_Operation.TOUCH,
        relationship: v1.Relationship.create(partsOf(tuple)),
      })),
    }),
  )
  return {
    call: async (question) => {
      const { subject, relation, resource } = partsOf(question)
      const { permissionship } = await client.checkPermission(
        v1.CheckPermissionRequest.create({
          resource,
          permission: relation,
          subject,
          consistency: { requirement: { oneofKind: 'fullyConsistent', fullyConsistent: true } },
        }),
      )
      return permissionship === v1.CheckPermissionResponse_Permissionship.HAS_PERMISSION
    },
  }
}

interface Parts {
  readonly resource: v1.ObjectReference
  readonly relation: string
  readonly subject: v1.SubjectReference
}

function partsOf([user, relation, object]: Triple): Parts {
  const [subject = '', optionalRelation = ''] = user.split('#')
  return {
    resource: referenceOf(object),
    relation,
    subject: v1.SubjectReference.create({ object: referenceOf(subject), optionalRelation }),
  }
}

function referenceOf(name: string): v1.ObjectReference {
  const [objectType = '', objectId = ''] = name.split(':')
  return v1.ObjectReference.create({ objectType, objectId })
}

/** @returns where it listens, or is about to */
async function start(): Promise<string> {
  const program = spiceDbProgram()
  if (program === undefined) throw new Error('no spicedb on PATH, and no SPICEDB in the environment')
  accessSync(program, constants.X_OK)
  const address = `127.0.0.1:${await freePort()}`
  const listening = ['--grpc-preshared-key', token, '--grpc-addr', address]
  const quiet = [
    '--metrics-enabled=false',
    '--telemetry-endpoint',
    '',
    '--skip-release-check',
    '--log-level',
    'error',
  ]
  const args = ['serve', '--datastore-engine', 'memory', ...listening, ...quiet]
  const child = spawn(program, args, { stdio: 'ignore' })
  await once(child, 'spawn')
  process.once('exit', () => void child.kill())
  return address
}

/** Asks until it is answered: the server listens soon after it has started. */
async function until<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let left = 100; ; left--) {
    try {
      return await ask()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
