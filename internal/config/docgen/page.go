package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// example is a file that is complete and, as a test makes sure, valid.
const example = `clusterID: 8d2f6a3e-5b1c-4d7e-9f00-1a2b3c4d5e6f
clusterDNS: [10.96.0.10]
nodes:
- name: eci-hangzhou
  cloud: eci
  region: cn-hangzhou
  zone: cn-hangzhou-h
  subnets: [vsw-bp1xxxxxxxxxxxxxxxxxx]
  securityGroups: [sg-bp1xxxxxxxxxxxxxxxxxx]
  address: 0.0.0.0
  advertiseAddress: 192.0.2.10
- name: kci-beijing
  cloud: kci
  region: cn-beijing-6
  subnets: [5f8f0e2c-0000-4000-8000-000000000001]
  securityGroups: [5f8f0e2c-0000-4000-8000-000000000002]
  credentials:
    file: /etc/cumulet/kci-key.yaml
  address: 0.0.0.0
  advertiseAddress: 192.0.2.10
`

// structs are the parts of the file, in the page's order.
var structs = []string{"Config", "LeaderElection", "Node", "Credentials", "RRSA", "Serving", "Policy", "OptionRule"}

// reader holds the package's declarations and what the page knows of them.
type reader struct {
	types map[string]*ast.GenDecl
	// yaml maps the Go name of each field to its name in the file.
	yaml map[string]string
	// variables are the names of environment variables, in order.
	variables []string
}

// generate makes the page of the package in this folder.
func generate(folder string) (string, error) {
	r := &reader{types: map[string]*ast.GenDecl{}, yaml: map[string]string{}}
	for _, name := range []string{"config.go", "read.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return "", fmt.Errorf("reading source: %w", err)
		}
		if err := r.read(file); err != nil {
			return "", err
		}
	}
	var page strings.Builder
	page.WriteString("# Configuration\n\n<!-- Written by `go generate ./internal/config`: change the comments there. -->\n\n" +
		"`cumulet run --config FILE` reads one YAML file, once. A field that is not known is a mistake, and all mistakes\n" +
		"are told at once. A complete file for one node on each cloud:\n\n```yaml\n" + example + "```\n")
	for _, name := range structs {
		if err := r.writeStruct(&page, name); err != nil {
			return "", err
		}
	}
	page.WriteString("\n## Environment variables\n\n" +
		"These hold access keys where a node's `credentials` name no source, and the address of nodes that name none. cumulet\n" +
		"reads no other setting from the environment. Libraries below it do: in a pod Kubernetes' client finds the API server by\n" +
		"`KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, Go's TLS takes other certificate authorities from `SSL_CERT_FILE`, and what is not\n" +
		"on loopback goes through the proxy of `HTTPS_PROXY` but for the hosts of `NO_PROXY`, which should then name the API server.\n\n")
	for _, name := range r.variables {
		fmt.Fprintf(&page, "- `%s`\n", name)
	}
	return page.String(), nil
}

// read takes in a file's types, fields and names of environment variables.
func (r *reader) read(file *ast.File) error {
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if fields, ok := s.Type.(*ast.StructType); ok {
					r.types[s.Name.Name] = general
					r.readNames(fields)
				}
			case *ast.ValueSpec:
				if err := r.readVariable(s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *reader) readNames(fields *ast.StructType) {
	for _, field := range fields.Fields.List {
		if name, _ := yamlName(field); name != "" {
			for _, ident := range field.Names {
				r.yaml[ident.Name] = name
			}
		}
	}
}

func (r *reader) readVariable(s *ast.ValueSpec) error {
	for i, ident := range s.Names {
		if !strings.HasPrefix(ident.Name, "env") || i >= len(s.Values) {
			continue
		}
		literal, ok := s.Values[i].(*ast.BasicLit)
		if !ok {
			continue
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil {
			return fmt.Errorf("reading constant %s: %w", ident.Name, err)
		}
		r.variables = append(r.variables, name)
	}
	return nil
}

// yamlName is a field's name in the file, empty if it has none, and whether it
// may be left out.
func yamlName(field *ast.Field) (name string, optional bool) {
	if field.Tag == nil {
		return "", false
	}
	name, options, _ := strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json"), ",")
	if name == "-" {
		return "", false
	}
	return name, strings.Contains(options, "omitempty")
}

func (r *reader) writeStruct(page *strings.Builder, name string) error {
	general, ok := r.types[name]
	if !ok {
		return fmt.Errorf("package config has no struct %s", name)
	}
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n| Field | Type | Meaning |\n| --- | --- | --- |\n", name, r.prose(general.Doc.Text()))
	meaning := ""
	for _, spec := range general.Specs {
		for _, field := range spec.(*ast.TypeSpec).Type.(*ast.StructType).Fields.List { //nolint:forcetypeassert // types holds only such
			fieldName, optional := yamlName(field)
			if fieldName == "" {
				continue
			}
			if field.Doc != nil {
				meaning = r.prose(field.Doc.Text())
			} else if part := r.part(field.Type); part != "" {
				meaning = part
			} // other fields without a comment share that of the field above
			kind, err := typeName(field.Type)
			if err != nil {
				return fmt.Errorf("field %s.%s: %w", name, fieldName, err)
			}
			if !optional {
				kind += ", required"
			}
			fmt.Fprintf(page, "| `%s` | %s | %s |\n", fieldName, kind, meaning)
		}
	}
	return nil
}

// part is the comment of the part of the file that a field holds.
func (r *reader) part(expression ast.Expr) string {
	ident, ok := expression.(*ast.Ident)
	if !ok || r.types[ident.Name] == nil {
		return ""
	}
	return r.prose(r.types[ident.Name].Doc.Text())
}

var word = regexp.MustCompile(`\b[A-Z][A-Za-z]*\b`)

// prose makes one line of a comment and spells fields as they stand in the
// file.
func (r *reader) prose(comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	text = word.ReplaceAllStringFunc(text, func(w string) string {
		if name, ok := r.yaml[w]; ok {
			return "`" + name + "`"
		}
		return w
	})
	return strings.NewReplacer("|", `\|`, "<", `\<`).Replace(text)
}

// typeName says what to write into the file.
func typeName(expression ast.Expr) (string, error) {
	switch e := expression.(type) {
	case *ast.Ident:
		switch e.Name {
		case "string":
			return "text", nil
		case "bool":
			return "true or false", nil
		case "int32":
			return "whole number", nil
		default:
			return "[" + e.Name + "](#" + strings.ToLower(e.Name) + ")", nil
		}
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		element, err := typeName(e.Elt)
		return "list of " + element, err
	case *ast.MapType:
		if _, lists := e.Value.(*ast.ArrayType); lists {
			return "map of lists of text", nil
		}
		return "map of texts", nil
	case *ast.SelectorExpr:
		return foreignName(e.Sel.Name)
	}
	return "", fmt.Errorf("docgen has no word for the type %T", expression)
}

// foreignName says what a type of Kubernetes is.
func foreignName(name string) (string, error) {
	names := map[string]string{
		"ResourceList": "map of [quantities](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)",
		"Duration":     "time, such as 500ms or 2s",
		"Taint":        "taints (`key`, `value`, `effect`)",
	}
	if text, ok := names[name]; ok {
		return text, nil
	}
	return "", fmt.Errorf("docgen has no word for the type %s", name)
}
