import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import { type GetPrismaClientConfig, getPrismaClient } from '@prisma/client/runtime/client'

/** What a client without models has. */
export interface PrismaClient extends Asking {
  $transaction<Result>(work: (transaction: Asking) => Promise<Result>, options: object): Promise<Result>
  $disconnect(): Promise<void>
}

interface Asking {
  $queryRawUnsafe(text: string, ...values: readonly unknown[]): Promise<unknown>
  $executeRaw(text: TemplateStringsArray, ...values: readonly unknown[]): Promise<number>
}

type Compiler = NonNullable<GetPrismaClientConfig['compilerWasm']>

const require = createRequire(import.meta.url)
const compiler: Awaited<
  ReturnType<Compiler['getRuntime']>
> = require('@prisma/client/runtime/query_compiler_fast_bg.postgresql.js')
const compiled: {
  readonly wasm: string
} = require('@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.js')

// What `prisma generate` 7.10 writes of a schema without models. It does so without a download where
// PRISMA_SCHEMA_ENGINE_BINARY names any program, and the client itself downloads nothing: its compiler is in the package.
const generated: GetPrismaClientConfig = {
  previewFeatures: [],
  clientVersion: '7.10.0',
  engineVersion: 'd1b3f377ca835d73fd50954a5e22128b9ebdd6b8',
  activeProvider: 'postgresql',
  inlineSchema:
    'generator client {\n  provider = "prisma-client"\n}\n\ndatasource db {\n  provider = "postgresql"\n}\n',
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  parameterizationSchema: { strings: [], graph: 'AAAA' },
  compilerWasm: {
    getRuntime: async () => compiler,
    getQueryCompilerWasmModule: async () => new WebAssembly.Module(Buffer.from(compiled.wasm, 'base64')),
    importName: './query_compiler_fast_bg.js',
  },
}

/** A client of Prisma 7 on `@prisma/adapter-pg`. */
export function openPrisma(connectionString: string): PrismaClient {
  const Client: new (options: { adapter: PrismaPg }) => unknown = getPrismaClient(generated)
  return new Client({ adapter: new PrismaPg({ connectionString, max: 4 }) }) as PrismaClient
}
