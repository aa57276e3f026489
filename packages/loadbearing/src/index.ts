export * as hydraConfig from '@loadbearing/hydra-config'
export * as hystrixBreaker from '@loadbearing/hystrix-breaker'
export * as maglev from '@loadbearing/maglev'
export * as stripeIdempotency from '@loadbearing/stripe-idempotency'
