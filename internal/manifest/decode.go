package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	goyaml "go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	strictjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is one object of a source.
type document struct {
	source string
	kind   schema.GroupVersionKind
	name   string
	// object is nil where the kind is not known here.
	object runtime.Object
}

// strict decodes JSON; a field that the kind does not have is an error, and so
// is one that is there twice.
var strict = serializer.NewSerializerWithOptions(serializer.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
	serializer.SerializerOptions{Strict: true})

// decode reads all documents of a source; the error tells every one that could
// not be read.
func decode(s Source) ([]document, error) {
	texts, err := split(s.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	var documents []document
	var faults []error
	for i, text := range texts {
		found, err := decodeText(s.Name, text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s, document %d: %w", s.Name, i+1, err))
		}
		documents = append(documents, found...)
	}
	return documents, errors.Join(faults...)
}

// byteOrderMark begins what some editors write.
var byteOrderMark = []byte("\ufeff")

// split cuts a source into documents in JSON. What begins like JSON may be YAML
// all the same.
func split(data []byte) ([][]byte, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return splitYAML(data)
	}
	out, err := splitJSON(trimmed)
	if err == nil {
		return out, nil
	}
	if out, other := splitYAML(data); other == nil {
		return out, nil
	}
	return nil, err
}

// splitYAML cuts at lines that begin with three hyphens.
func splitYAML(data []byte) ([][]byte, error) {
	var out [][]byte
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("splitting into documents: %w", err)
		}
		object, err := toJSON(text)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(out)+1, err)
		}
		if !bytes.Equal(object, []byte("null")) { // nothing but comments
			out = append(out, object)
		}
	}
}

// toJSON makes JSON of a YAML document. A key that is there twice is an error,
// but not one that a merge (<<) brings and the document says otherwise, for
// which the strict reading takes it.
func toJSON(text []byte) ([]byte, error) {
	object, err := yaml.YAMLToJSONStrict(text)
	if err == nil || !bytes.Contains(text, []byte("<<")) {
		return object, err
	}
	var anything any
	if err := goyaml.Unmarshal(text, &anything); err != nil { // it tells them apart
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	return yaml.YAMLToJSON(text)
}

// splitJSON reads objects that follow each other.
func splitJSON(data []byte) ([][]byte, error) {
	var out [][]byte
	for decoder := json.NewDecoder(bytes.NewReader(data)); ; {
		var object json.RawMessage
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(out)+1, err)
		}
		out = append(out, object)
	}
}

// decodeText decodes a document, and of a list what is in it.
func decodeText(source string, text []byte) ([]document, error) {
	cleaned, head, err := withoutStatus(text)
	if err != nil {
		return nil, err
	}
	object, kind, err := strict.Decode(cleaned, nil, nil)
	switch {
	case runtime.IsNotRegisteredError(err):
		return []document{{source: source, kind: *kind, name: head.name}}, nil
	case err != nil && kind != nil && kind.Kind != "":
		return nil, fmt.Errorf("%s %s: %w", kind.Kind, head.name, err)
	case err != nil:
		return nil, fmt.Errorf("no Kubernetes object: %w", err)
	}
	if !meta.IsListType(object) {
		return []document{{source: source, kind: *kind, name: head.name, object: object}}, nil
	}
	return decodeItems(source, object)
}

// decodeItems decodes what is in a list: of kubectl's own kind List that which
// is still text, of others what has been decoded with them.
func decodeItems(source string, list runtime.Object) ([]document, error) {
	var out []document
	var faults []error
	if list, ok := list.(*corev1.List); ok {
		for i := range list.Items {
			found, err := decodeText(source, list.Items[i].Raw)
			if err != nil {
				faults = append(faults, fmt.Errorf("items[%d]: %w", i, err))
			}
			out = append(out, found...)
		}
		return out, errors.Join(faults...)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	for _, item := range items {
		d := document{source: source, object: item}
		if kinds, _, err := scheme.Scheme.ObjectKinds(item); err == nil {
			d.kind = kinds[0]
		}
		if of, err := meta.Accessor(item); err == nil {
			d.name = of.GetName()
		}
		out = append(out, d)
	}
	return out, nil
}

// head tells what a document says that it is.
type head struct {
	APIVersion, Kind string
	// name is the object's, or what its name begins with.
	name string
}

// headOf reads an object's head. Its errors do not show the object, which may
// be a Secret.
func headOf(object map[string]any) (head, error) {
	var h head
	h.APIVersion, _ = object["apiVersion"].(string)
	h.Kind, _ = object["kind"].(string)
	if metadata, ok := object["metadata"].(map[string]any); ok {
		if h.name, ok = metadata["name"].(string); !ok {
			h.name, _ = metadata["generateName"].(string)
		}
	}
	switch {
	case h.Kind == "":
		return h, fmt.Errorf("no Kubernetes object: Object 'Kind' is missing%s", h.named())
	case h.APIVersion == "":
		return h, fmt.Errorf("no Kubernetes object: Object 'apiVersion' is missing%s", h.named())
	default:
		return h, nil
	}
}

// named tells which object is meant, as far as it says.
func (h head) named() string {
	if h.Kind+h.name == "" {
		return ""
	}
	return " in " + strings.TrimSpace(h.Kind+" "+h.name)
}

// withoutStatus drops what is not the user's: the status and the list of who
// manages which field, which may have fields of another release. A field that is
// there twice is an error; of YAML the reading has told it.
func withoutStatus(text []byte) (cleaned []byte, h head, err error) {
	var object map[string]any
	twice, err := strictjson.UnmarshalStrict(text, &object)
	if err != nil {
		return nil, h, fmt.Errorf("no object: %w", err)
	}
	if h, err = headOf(object); err != nil {
		return nil, h, err
	}
	if len(twice) > 0 {
		return nil, h, fmt.Errorf("%s: %w", strings.TrimSpace(h.Kind+" "+h.name), runtime.NewStrictDecodingError(twice))
	}
	clean(object)
	if items, ok := object["items"].([]any); ok {
		for _, item := range items {
			if item, ok := item.(map[string]any); ok {
				clean(item)
			}
		}
	}
	cleaned, err = json.Marshal(object)
	if err != nil {
		return nil, h, fmt.Errorf("encoding: %w", err)
	}
	return cleaned, h, nil
}

func clean(object map[string]any) {
	delete(object, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		delete(metadata, "managedFields")
	}
}
