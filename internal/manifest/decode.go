package manifest

import (
	"bufio"
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
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

// split cuts a source into documents in JSON.
func split(data []byte) ([][]byte, error) {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' {
		return splitJSON(trimmed)
	}
	var out [][]byte
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("splitting into documents: %w", err)
		}
		object, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(out)+1, err)
		}
		if !bytes.Equal(object, []byte("null")) { // nothing but comments
			out = append(out, object)
		}
	}
}

// splitJSON reads objects that follow each other.
func splitJSON(data []byte) ([][]byte, error) {
	var out [][]byte
	for decoder := stdjson.NewDecoder(bytes.NewReader(data)); ; {
		var object stdjson.RawMessage
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
	text, name, err := withoutStatus(text)
	if err != nil {
		return nil, err
	}
	object, kind, err := strict.Decode(text, nil, nil)
	switch {
	case runtime.IsNotRegisteredError(err):
		return []document{{source: source, kind: *kind, name: name}}, nil
	case err != nil && kind != nil && kind.Kind != "":
		return nil, fmt.Errorf("%s %s: %w", kind.Kind, name, err)
	case err != nil:
		return nil, fmt.Errorf("no Kubernetes object: %w", err)
	}
	if !meta.IsListType(object) {
		return []document{{source: source, kind: *kind, name: name, object: object}}, nil
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

// withoutStatus drops what is not the user's: the status and the list of who
// manages which field, which may have fields of another release.
func withoutStatus(text []byte) (cleaned []byte, name string, err error) {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, "", fmt.Errorf("no object: %w", err)
	}
	delete(object, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		delete(metadata, "managedFields")
		if name, ok = metadata["name"].(string); !ok {
			name, _ = metadata["generateName"].(string)
		}
	}
	if items, ok := object["items"].([]any); ok {
		for _, item := range items {
			if item, ok := item.(map[string]any); ok {
				delete(item, "status")
			}
		}
	}
	cleaned, err = json.Marshal(object)
	if err != nil {
		return nil, "", fmt.Errorf("encoding: %w", err)
	}
	return cleaned, name, nil
}
