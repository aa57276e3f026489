// oxlint-disable-next-line import/no-unassigned-import -- what Nest's decorators stand on
import 'reflect-metadata'
import { eventually } from '@loadbearing/harness/faults'
import { HydraConfig, HydraConfigModule } from '@loadbearing/hydra-config/nestjs'
import { type DynamicModule, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { HandSource } from '../watch/hand-source.ts'

const schema = z.object({ greeting: z.string() })
type AppConfig = z.output<typeof schema>

class Greeter {
  readonly config: HydraConfig<AppConfig>
  constructor(config: HydraConfig<AppConfig>) {
    this.config = config
  }
  greet(): string {
    return this.config.value.greeting.toUpperCase()
  }
}

// What the compiler does with decorators.
Reflect.defineMetadata('design:paramtypes', [HydraConfig], Greeter)
// oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is a class
class GreeterModule {}
Module({ providers: [Greeter], exports: [Greeter] })(GreeterModule)

function rootOf(source: HandSource): DynamicModule {
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is a class
  class AppModule {}
  const config = HydraConfigModule.forRoot({ source, config: 'config', schema })
  return { module: AppModule, imports: [config, GreeterModule] }
}

test('the configuration is injected, follows its source, and ends with the application', async () => {
  const source = new HandSource({ 'config.yaml': 'greeting: hello\n' })
  const app = await NestFactory.createApplicationContext(rootOf(source), {
    logger: false,
    abortOnError: false,
  })
  const greeter = app.get(Greeter)
  expect(greeter.greet()).toBe('HELLO')
  source.set({ 'config.yaml': 'greeting: good day\n' })
  await eventually(() => greeter.greet() === 'GOOD DAY', { what: 'the new greeting' })
  expect(greeter.config.current.explain('greeting').origin).toMatchObject({ kind: 'file', line: 1 })
  expect(source.watchers).toBe(1)
  await app.close()
  expect(source.watchers).toBe(0)
})

test('what cannot be composed keeps the application from starting', async () => {
  const source = new HandSource({ 'config.yaml': 'greeting: 1\n' })
  const starting = NestFactory.createApplicationContext(rootOf(source), {
    logger: false,
    abortOnError: false,
  })
  await expect(starting).rejects.toMatchObject({ code: 'CONFIG_INVALID', path: 'greeting' })
})

test('its options come of what another module gives', async () => {
  const source = new HandSource({ 'config.yaml': 'greeting: hello\n' })
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is a class
  class SourceModule {}
  Module({ providers: [{ provide: HandSource, useValue: source }], exports: [HandSource] })(SourceModule)
  const config = HydraConfigModule.forRootAsync({
    imports: [SourceModule],
    inject: [HandSource],
    useFactory: async (injected: HandSource) => ({ source: injected, config: 'config', schema }),
  })
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is a class
  class AppModule {}
  const root = { module: AppModule, imports: [config, GreeterModule] }
  const app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false })
  expect(app.get(Greeter).greet()).toBe('HELLO')
  await app.close()
  expect(source.watchers).toBe(0)
})
