// Package lang is what the table of functions needs of the package of this name: the part that resolves references
// to objects of a configuration is left out.
package lang

import (
	"sync"
	"time"

	"github.com/opentofu/opentofu/internal/experiments"
	"github.com/zclconf/go-cty/cty/function"
)

type Scope struct {
	BaseDir       string
	PureOnly      bool
	ConsoleMode   bool
	PlanTimestamp time.Time

	funcsLock         sync.Mutex
	funcs             map[string]function.Function
	activeExperiments experiments.Set
}
