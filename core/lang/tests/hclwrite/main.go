// Reads configuration with HCL's own parser and formats it with HCL's own formatter, the way that OpenTofu's fmt command
// uses it, for tests that compare.
//
// Standard input holds texts with a NUL byte after each. So does standard output: "+" and the formatted text, "!" for a
// text that parses and that the formatter fails on, or "-" and the first error for a text that does not parse.
package main

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for text := range bytes.SplitSeq(bytes.TrimSuffix(input, []byte{0}), []byte{0}) {
		if _, diagnostics := hclsyntax.ParseConfig(text, "text", hcl.InitialPos); diagnostics.HasErrors() {
			out.WriteByte('-')
			out.WriteString(diagnostics.Errs()[0].Error())
		} else if formatted, ok := format(text); ok {
			out.WriteByte('+')
			out.Write(formatted)
		} else {
			out.WriteByte('!')
		}
		out.WriteByte(0)
	}
}

// The library panics for some texts that it parses.
func format(text []byte) (formatted []byte, ok bool) {
	defer func() {
		if recover() != nil {
			formatted, ok = nil, false
		}
	}()
	file, diagnostics := hclwrite.ParseConfig(text, "text", hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, false
	}
	modernise(file.Body(), "")
	return file.Bytes(), true
}

// Brings legacy syntax up to date; inside is the type of the top-level block that the body belongs to directly.
func modernise(body *hclwrite.Body, inside string) {
	for name, attribute := range body.Attributes() {
		tokens := attribute.Expr().BuildTokens(nil)
		if inside == "variable" && name == "type" {
			tokens = typeName(tokens)
		} else {
			tokens = unwrapped(tokens)
		}
		body.SetAttributeRaw(name, tokens)
	}
	for _, block := range body.Blocks() {
		block.SetLabels(block.Labels())
		next := block.Type()
		if inside != "" {
			next = "nested"
		}
		modernise(block.Body(), next)
	}
}

func word(text string) *hclwrite.Token {
	return &hclwrite.Token{Type: hclsyntax.TokenIdent, Bytes: []byte(text)}
}

func parentheses(inner hclwrite.Tokens) hclwrite.Tokens {
	tokens := hclwrite.Tokens{{Type: hclsyntax.TokenOParen, Bytes: []byte("(")}}
	return append(append(tokens, inner...), &hclwrite.Token{Type: hclsyntax.TokenCParen, Bytes: []byte(")")})
}

func typeName(tokens hclwrite.Tokens) hclwrite.Tokens {
	of := func(name *hclwrite.Token, inner string) hclwrite.Tokens {
		return append(hclwrite.Tokens{word(string(name.Bytes))}, parentheses(hclwrite.Tokens{word(inner)})...)
	}
	if len(tokens) == 1 && tokens[0].Type == hclsyntax.TokenIdent {
		switch string(tokens[0].Bytes) {
		case "list", "map", "set":
			return of(tokens[0], "any")
		}
	}
	if len(tokens) == 3 && tokens[1].Type == hclsyntax.TokenQuotedLit {
		switch string(tokens[1].Bytes) {
		case "string":
			return hclwrite.Tokens{word("string")}
		case "list", "map":
			return of(tokens[1], "string")
		}
	}
	return tokens
}

func unwrapped(tokens hclwrite.Tokens) hclwrite.Tokens {
	n := len(tokens)
	if n < 5 || tokens[0].Type != hclsyntax.TokenOQuote || tokens[1].Type != hclsyntax.TokenTemplateInterp ||
		tokens[n-2].Type != hclsyntax.TokenTemplateSeqEnd || tokens[n-1].Type != hclsyntax.TokenCQuote {
		return tokens
	}
	inner := tokens[2 : n-2]
	quotes := 0
	for _, token := range inner {
		switch token.Type {
		case hclsyntax.TokenOQuote:
			quotes++
		case hclsyntax.TokenCQuote:
			quotes--
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenQuotedLit:
			if quotes <= 0 {
				return tokens
			}
		}
	}
	for len(inner) > 0 && inner[0].Type == hclsyntax.TokenNewline {
		inner = inner[1:]
	}
	for len(inner) > 0 && inner[len(inner)-1].Type == hclsyntax.TokenNewline {
		inner = inner[:len(inner)-1]
	}
	lines := false
	for _, token := range inner {
		lines = lines || token.Type == hclsyntax.TokenNewline
	}
	if lines && !(inner[0].Type == hclsyntax.TokenOParen && inner[len(inner)-1].Type == hclsyntax.TokenCParen) {
		return parentheses(inner)
	}
	return inner
}
