// Evaluates expressions with OpenTofu's functions and HCL's evaluator, for tests that compare.
//
// The argument is the folder that functions read files in. Standard input holds requests with a NUL byte after each; a
// request is a letter and parts with a byte 1 between them:
//
//	e EXPRESSION           evaluates
//	t TYPE, EXPRESSION     evaluates and converts, as for a variable of this type
//	n NAME, EXPRESSION     lets a name stand for a value
//	u NAME, TYPE           lets a name stand for a value that is not known yet
//	p NAME, TYPE           the same, where the value will not be null
//
// Standard output holds an answer with a NUL byte after each: a value, or "error: " and why.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/opentofu/opentofu/internal/lang"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	log.SetOutput(io.Discard)
	scope := lang.Scope{BaseDir: os.Args[1], PureOnly: true, PlanTimestamp: time.Unix(0, 0).UTC()}
	context := &hcl.EvalContext{Functions: scope.Functions(), Variables: map[string]cty.Value{}}
	out := bufio.NewWriter(os.Stdout)
	for request := range bytes.SplitSeq(bytes.TrimSuffix(input, []byte{0}), []byte{0}) {
		value, err := answer(request[0], strings.Split(string(request[1:]), "\x01"), context)
		if err != nil {
			out.WriteString(failure(err))
		} else {
			out.WriteString(valueText(value))
		}
		out.WriteByte(0)
		// What comes next may be the end of memory.
		out.Flush()
	}
}

func failure(err error) string {
	if text := err.Error(); strings.HasPrefix(text, "crashed") {
		return text
	}
	return "error: " + err.Error()
}

func answer(kind byte, parts []string, context *hcl.EvalContext) (value cty.Value, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("crashed: %v\n%s", reason, debug.Stack())
		}
	}()
	switch kind {
	case 'e':
		return evaluate(parts[0], context)
	case 't':
		return typed(parts[0], parts[1], context)
	case 'n':
		value, err = evaluate(parts[1], context)
	case 'u', 'p':
		ty, _, failed := constraint(parts[1])
		if failed != nil {
			return value, failed
		}
		value = cty.UnknownVal(ty)
		if kind == 'p' {
			value = value.RefineNotNull()
		}
	default:
		err = fmt.Errorf("no such kind of request: %c", kind)
	}
	context.Variables[parts[0]] = value
	return value, err
}

func evaluate(text string, context *hcl.EvalContext) (cty.Value, error) {
	expression, diagnostics := hclsyntax.ParseExpression([]byte(text), "expression", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return cty.NilVal, all(diagnostics)
	}
	value, diagnostics := expression.Value(context)
	if diagnostics.HasErrors() {
		return cty.NilVal, all(diagnostics)
	}
	return value, nil
}

func constraint(text string) (cty.Type, *typeexpr.Defaults, error) {
	expression, diagnostics := hclsyntax.ParseExpression([]byte(text), "type", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return cty.NilType, nil, all(diagnostics)
	}
	ty, defaults, diagnostics := typeexpr.TypeConstraintWithDefaults(expression)
	if diagnostics.HasErrors() {
		return cty.NilType, nil, all(diagnostics)
	}
	return ty, defaults, nil
}

func typed(ty string, text string, context *hcl.EvalContext) (cty.Value, error) {
	wanted, defaults, err := constraint(ty)
	if err != nil {
		return cty.NilVal, err
	}
	value, err := evaluate(text, context)
	if err != nil {
		return cty.NilVal, err
	}
	if defaults != nil && !value.IsNull() {
		value = defaults.Apply(value)
	}
	return convert.Convert(value, wanted)
}

func all(diagnostics hcl.Diagnostics) error {
	var errs []error
	for _, d := range diagnostics {
		if d.Severity == hcl.DiagError {
			errs = append(errs, fmt.Errorf("%s: %s", d.Summary, d.Detail))
		}
	}
	return errors.Join(errs...)
}
