import type { DynamicModule, FactoryProvider, OnModuleDestroy } from '@nestjs/common'
import type { Composition } from '../compose/composition.ts'
import { type WatchOptions, watch } from '../hydra.ts'
import type { LiveConfig, Reload } from '../watch/live.ts'

/** Options of {@link HydraConfigModule.forRoot}. */
export interface HydraConfigModuleOptions extends WatchOptions {
  /** Whether every module has it without importing it. Default: true. */
  readonly isGlobal?: boolean
}

/** Options of {@link HydraConfigModule.forRootAsync}. */
export interface HydraConfigModuleAsyncOptions
  extends Pick<DynamicModule, 'imports'>,
    Pick<FactoryProvider<WatchOptions>, 'inject' | 'useFactory'>,
    Pick<HydraConfigModuleOptions, 'isGlobal'> {}

/**
 * The configuration, to be injected: `constructor(private readonly config: HydraConfig<AppConfig>)`. To iterate gives each
 * change of it.
 */
export class HydraConfig<T = unknown> implements OnModuleDestroy, AsyncIterable<Reload<T>> {
  readonly #live: LiveConfig<T>

  constructor(live: LiveConfig<T>) {
    this.#live = live
  }

  /** The newest valid configuration: plain, frozen. Read it where it is used, and it is never an old one. */
  get value(): T {
    return this.#live.current.value
  }

  /** The same with all that is known of it: `config.current.explain('db.port')`. */
  get current(): Composition<T> {
    return this.#live.current
  }

  [Symbol.asyncIterator](): AsyncIterator<Reload<T>> {
    return this.#live[Symbol.asyncIterator]()
  }

  /** Ends the watch, as `app.close()` does. */
  async onModuleDestroy(): Promise<void> {
    await this.#live[Symbol.asyncDispose]()
  }
}

/**
 * A module of NestJS 11 and 12: composes the configuration, watches its sources, and gives it by injection as
 * {@link HydraConfig}. Where it cannot be composed, the application does not start.
 *
 * ```ts
 * @Module({ imports: [HydraConfigModule.forRoot({ source: fromDir('conf'), config: 'config', schema })] })
 * export class AppModule {}
 * ```
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is a class
export class HydraConfigModule {
  static forRoot({ isGlobal = true, ...options }: HydraConfigModuleOptions): DynamicModule {
    return HydraConfigModule.forRootAsync({ isGlobal, useFactory: () => options })
  }

  /** The same where the options come of what is injected, such as a pool for `fromPostgres`. */
  static forRootAsync({
    isGlobal = true,
    imports = [],
    inject = [],
    useFactory,
  }: HydraConfigModuleAsyncOptions): DynamicModule {
    return {
      module: HydraConfigModule,
      global: isGlobal,
      imports,
      providers: [
        {
          provide: HydraConfig,
          inject,
          useFactory: async (...injected: Parameters<typeof useFactory>) =>
            new HydraConfig(await watch(await useFactory(...injected))),
        },
      ],
      exports: [HydraConfig],
    }
  }
}
