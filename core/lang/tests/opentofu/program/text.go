package main

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/opentofu/opentofu/internal/lang/marks"
	"github.com/zclconf/go-cty/cty"
)

// typeText writes a type as in a type constraint.
func typeText(ty cty.Type) string {
	switch {
	case ty == cty.DynamicPseudoType:
		return "any"
	case ty.IsPrimitiveType():
		return ty.FriendlyName()
	case ty.IsListType():
		return "list(" + typeText(ty.ElementType()) + ")"
	case ty.IsSetType():
		return "set(" + typeText(ty.ElementType()) + ")"
	case ty.IsMapType():
		return "map(" + typeText(ty.ElementType()) + ")"
	case ty.IsTupleType():
		var all []string
		for _, element := range ty.TupleElementTypes() {
			all = append(all, typeText(element))
		}
		return "tuple([" + strings.Join(all, ", ") + "])"
	case ty.IsObjectType():
		var all []string
		for name, attribute := range ty.AttributeTypes() {
			all = append(all, quoted(name)+" = "+typeText(attribute))
		}
		sort.Strings(all)
		return "object({" + strings.Join(all, ", ") + "})"
	default:
		return ty.FriendlyName()
	}
}

// valueText writes all there is to know about a value.
func valueText(value cty.Value) string {
	if value.IsMarked() {
		bare, found := value.Unmark()
		var all []string
		for mark := range found {
			if mark == marks.Sensitive {
				all = append(all, "sensitive")
			} else {
				all = append(all, fmt.Sprint(mark))
			}
		}
		sort.Strings(all)
		// A secret inside of a secret is no other one.
		bare, _ = bare.UnmarkDeep()
		return strings.Join(all, "+") + "(" + valueText(bare) + ")"
	}
	ty := value.Type()
	switch {
	case !value.IsKnown():
		return "unknown(" + refinements(value) + ")"
	case value.IsNull():
		return "null(" + typeText(ty) + ")"
	case ty == cty.Bool:
		return fmt.Sprint(value.True())
	case ty == cty.Number:
		return number(value)
	case ty == cty.String:
		return quoted(value.AsString())
	case ty.IsMapType() || ty.IsObjectType():
		return braces(ty, value)
	default:
		return brackets(ty, value)
	}
}

func braces(ty cty.Type, value cty.Value) string {
	var all []string
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		all = append(all, quoted(key.AsString())+" = "+valueText(element))
	}
	sort.Strings(all)
	return prefix(ty) + "{" + strings.Join(all, ", ") + "}"
}

func brackets(ty cty.Type, value cty.Value) string {
	var all []string
	for it := value.ElementIterator(); it.Next(); {
		_, element := it.Element()
		all = append(all, valueText(element))
	}
	if ty.IsSetType() && !value.IsWhollyKnown() {
		sort.Strings(all)
	}
	return prefix(ty) + "[" + strings.Join(all, ", ") + "]"
}

// prefix tells collections from tuples and objects, and what their elements are, which an empty one does not show.
func prefix(ty cty.Type) string {
	if ty.IsTupleType() || ty.IsObjectType() {
		return ""
	}
	return typeText(ty)
}

func number(value cty.Value) string {
	text := value.AsBigFloat().Text('f', -1)
	if text == "-0" {
		return "0"
	}
	return text
}

func refinements(value cty.Value) string {
	ty := value.Type()
	all := []string{typeText(ty)}
	if ty == cty.DynamicPseudoType {
		return all[0]
	}
	known := value.Range()
	if known.DefinitelyNotNull() {
		all = append(all, "not null")
	}
	switch {
	case ty == cty.String:
		if p := known.StringPrefix(); p != "" {
			all = append(all, "begins with "+quoted(p))
		}
	case ty == cty.Number:
		if min, inclusive := known.NumberLowerBound(); min.IsKnown() && min != cty.NegativeInfinity {
			all = append(all, compared(inclusive, ">")+number(min))
		}
		// Lengths of unknown collections are below the largest integer.
		largest := cty.NumberIntVal(math.MaxInt)
		if max, inclusive := known.NumberUpperBound(); max.IsKnown() && max != cty.PositiveInfinity && !max.RawEquals(largest) {
			all = append(all, compared(inclusive, "<")+number(max))
		}
	case ty.IsCollectionType():
		if min := known.LengthLowerBound(); min > 0 {
			all = append(all, fmt.Sprintf("length >= %d", min))
		}
		if max := known.LengthUpperBound(); max < math.MaxInt {
			all = append(all, fmt.Sprintf("length <= %d", max))
		}
	}
	return strings.Join(all, "; ")
}

func compared(inclusive bool, sign string) string {
	if inclusive {
		return sign + "= "
	}
	return sign + " "
}

// quoted writes characters as they are but for the few that would make the text ambiguous.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteRune(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&out, "\\u%04x", c)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
