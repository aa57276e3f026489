module loadbearing.dev/maglev/bench

go 1.22

require github.com/kkdai/maglev v0.2.0

require github.com/dchest/siphash v1.2.2 // indirect
