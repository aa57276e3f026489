module loadbearing.dev/maglev/differential/kkdai

go 1.22

require (
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/dchest/siphash v1.2.3
	github.com/kkdai/maglev v0.2.0
	github.com/spaolacci/murmur3 v1.1.0
)
