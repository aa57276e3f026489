export * as hystrixBreaker from '@loadbearing/hystrix-breaker'
export * as maglev from '@loadbearing/maglev'
