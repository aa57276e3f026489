// Answers one JSON question a line with OpenFGA's own conditions, in order: {expression, parameters, context, maxCost?} gives
// {"ok": {result, cost, missing}} or {"error": message}. A parameter's type is OpenFGA's JSON of a ConditionParamTypeRef.
//
// The path of this module lies below OpenFGA's, so that its internal package may be imported.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"regexp"

	openfgav1 "github.com/openfga/api/proto/openfga/v1"
	"github.com/openfga/openfga/internal/condition"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

type question struct {
	Expression string                     `json:"expression"`
	Parameters map[string]json.RawMessage `json:"parameters"`
	Context    json.RawMessage            `json:"context"`
	MaxCost    uint64                     `json:"maxCost"`
	Pattern    *string                    `json:"pattern"`
	Text       string                     `json:"text"`
}

type answer struct {
	Result  bool     `json:"result"`
	Cost    uint64   `json:"cost"`
	Missing []string `json:"missing,omitempty"`
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		reply := map[string]any{}
		if value, err := respond(line); err != nil {
			reply["error"] = err.Error()
		} else {
			reply["ok"] = value
		}
		encoded, err := json.Marshal(reply)
		if err != nil {
			encoded, _ = json.Marshal(map[string]any{"error": err.Error()})
		}
		out.Write(encoded)
		out.WriteByte('\n')
		out.Flush()
	}
}

func respond(line []byte) (any, error) {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	if asked.Pattern != nil {
		return match(*asked.Pattern, asked.Text)
	}
	return evaluate(asked)
}

func match(pattern string, text string) (any, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	return compiled.MatchString(text), nil
}

func evaluate(asked question) (any, error) {
	parameters := map[string]*openfgav1.ConditionParamTypeRef{}
	for name, encoded := range asked.Parameters {
		reference := &openfgav1.ConditionParamTypeRef{}
		if err := protojson.Unmarshal(encoded, reference); err != nil {
			return nil, err
		}
		parameters[name] = reference
	}
	fields := &structpb.Struct{}
	if len(asked.Context) > 0 {
		if err := protojson.Unmarshal(asked.Context, fields); err != nil {
			return nil, err
		}
	}
	evaluable := condition.NewUncompiled(&openfgav1.Condition{
		Name:       "c",
		Expression: asked.Expression,
		Parameters: parameters,
	}).WithTrackEvaluationCost().WithMaxEvaluationCost(asked.MaxCost).WithInterruptCheckFrequency(100)
	if err := evaluable.Compile(); err != nil {
		return nil, err
	}
	result, err := evaluable.Evaluate(context.Background(), fields.GetFields())
	if err != nil {
		return nil, err
	}
	return answer{result.ConditionMet, result.Cost, result.MissingParameters}, nil
}
