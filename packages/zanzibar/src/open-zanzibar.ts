import { compileCondition } from './condition/condition.ts'
import { tokensOf } from './consistency/token.ts'
import { parseModel } from './dsl/parse-model.ts'
import { Events } from './events.ts'
import { checkCount, checkMethods, checkModel, checkRecord, checkServing, checkText } from './given-kinds.ts'
import { checkedSemantics } from './graph/weighted.ts'
import { closureIndexOf } from './leopard/closure-index.ts'
import type { Limits } from './limits.ts'
import type { AuthorizationModel } from './model/authorization-model.ts'
import type { Definitions } from './model/define-model.ts'
import { readModel } from './model/read-model.ts'
import { typeSystem } from './model/type-system.ts'
import type { ConditionDefinitions } from './model/typed-model.ts'
import { validateModel } from './model/validate-model.ts'
import { realClock } from './ports.ts'
import { memoryStore } from './store/memory-store.ts'
import { modelOf, spaceOf } from './store/space.ts'
import { StoreZanzibar } from './store-zanzibar.ts'
import type { TypedZanzibar, TypedZanzibarOptions } from './typed-zanzibar.ts'
import { type Zanzibar, type ZanzibarOptions, zanzibarLimits } from './zanzibar.ts'

/**
 * Opens authorization in the process.
 *
 * @throws ZanzibarError `invalid_syntax` and `invalid_authorization_model` for the model, `invalid_option`
 */
export function openZanzibar<const D extends Definitions, C extends ConditionDefinitions>(
  options: TypedZanzibarOptions<D, C>,
): Promise<TypedZanzibar<D, C>>
export function openZanzibar(options: ZanzibarOptions): Promise<Zanzibar>
export async function openZanzibar(options: ZanzibarOptions): Promise<Zanzibar> {
  checkOptions(options)
  const { name = 'default', tokenWait = 5000, clock = realClock } = options
  const store = options.store ?? memoryStore({ clock })
  const limits: Limits = { ...zanzibarLimits, ...options.limits }
  const model = modelGiven(options.model)
  validateModel(model, limits, compileCondition)
  const storeId = await spaceOf(store, name)
  const modelId = await modelOf(store, storeId, model)
  const types = checkedSemantics(typeSystem(model, compileCondition, options.semantics))
  const tokens = tokensOf(store.identity, storeId)
  const isOwn = options.store === undefined
  const events = new Events(options.onEvent, clock)
  const onTooLarge = (entries: number, maxEntries: number): void =>
    events.tell({ type: 'index-off', storeId, entries, maxEntries })
  const index = closureIndexOf(options.closureIndex, { store, storeId, types, onTooLarge })
  await index?.follow()
  const asked = { types, index, limits, tokens, tokenWait, clock, events }
  return new StoreZanzibar({ store, isOwn, storeId, modelId, ...asked })
}

function checkOptions(options: ZanzibarOptions): void {
  checkRecord('options', options)
  const { name, tokenWait, store } = options
  if (name !== undefined) checkText('name', name)
  if (store !== undefined) checkMethods('store', store, ['listStores', 'snapshot', 'changed'])
  checkCount('tokenWait', tokenWait)
  checkServing(options)
}

function modelGiven(model: string | AuthorizationModel): AuthorizationModel {
  if (typeof model === 'string') return parseModel(model)
  checkModel('model', model)
  // For its refusals: of the same model as the store's latest one no other is made.
  readModel(model)
  return model
}
