// Asks Kubernetes' own code what it says of definitions with rules and of objects: the answers in expressions.yaml and rules.yaml.
//
// In a folder of its own: go mod init record; go get k8s.io/apiextensions-apiserver@v0.36.0; go run . < ROWS, where ROWS is a JSON
// list of {name, schema, new, old}: the openAPIV3Schema and two objects. It answers a JSON object a row.
package main

import (
	"context"
	"encoding/json"
	"os"
	"sort"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

type row struct {
	Name             string
	Schema, New, Old json.RawMessage
}

type cause struct{ Field, Reason, Message string }

type answer struct {
	Name            string
	Refused, Causes []cause
	Cost            int64
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func causes(errs field.ErrorList) (causes []cause) {
	for _, e := range errs {
		causes = append(causes, cause{e.Field, string(e.Type), e.ErrorBody()})
	}
	sort.SliceStable(causes, func(i, j int) bool { return causes[i].Field < causes[j].Field })
	return causes
}

func definition(props *apiextensions.JSONSchemaProps) *apiextensions.CustomResourceDefinition {
	no := false
	it := &apiextensions.CustomResourceDefinition{}
	it.Name = "ws.e.com"
	it.Spec = apiextensions.CustomResourceDefinitionSpec{
		Group: "e.com", Scope: "Namespaced", PreserveUnknownFields: &no,
		Names:      apiextensions.CustomResourceDefinitionNames{Plural: "ws", Singular: "w", Kind: "W", ListKind: "WList"},
		Versions:   []apiextensions.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true}},
		Validation: &apiextensions.CustomResourceValidation{OpenAPIV3Schema: props},
		Conversion: &apiextensions.CustomResourceConversion{Strategy: "None"},
	}
	it.Status.StoredVersions = []string{"v1"}
	return it
}

func ask(row row) answer {
	ctx, written, props := context.Background(), &v1.JSONSchemaProps{}, &apiextensions.JSONSchemaProps{}
	must(json.Unmarshal(row.Schema, written))
	must(v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(written, props, nil))
	answer := answer{Name: row.Name, Refused: causes(validation.ValidateCustomResourceDefinition(ctx, definition(props)))}
	if len(row.New) == 0 {
		return answer
	}
	structural, err := schema.NewStructural(props)
	must(err)
	var object, old interface{}
	must(utiljson.Unmarshal(row.New, &object))
	var options []cel.Option
	if len(row.Old) > 0 {
		must(utiljson.Unmarshal(row.Old, &old))
		correlated := common.NewCorrelatedObject(object, old, &model.Structural{Structural: structural})
		options = append(options, cel.WithRatcheting(correlated))
	}
	validator := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	errs, left := validator.Validate(ctx, nil, structural, object, old, celconfig.RuntimeCELCostBudget, options...)
	answer.Causes, answer.Cost = causes(errs), celconfig.RuntimeCELCostBudget-left
	return answer
}

func main() {
	var rows []row
	must(json.NewDecoder(os.Stdin).Decode(&rows))
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, row := range rows {
		must(out.Encode(ask(row)))
	}
}
