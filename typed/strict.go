package typed

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

// checkStrict returns what keeps a schema, inferred or given, out of the strict subset.
func checkStrict(s *jsonschema.Schema) error {
	if err := checkStrictSchema(s); err != nil {
		return err
	}
	for _, children := range []map[string]*jsonschema.Schema{s.Properties, s.Defs, s.Definitions} {
		for _, name := range slices.Sorted(maps.Keys(children)) {
			if err := checkStrict(children[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, one := range s.AnyOf {
		if err := checkStrict(one); err != nil {
			return err
		}
	}
	if s.Items != nil {
		return checkStrict(s.Items)
	}
	return nil
}

// checkStrictSchema looks at one schema without those inside.
func checkStrictSchema(s *jsonschema.Schema) error {
	is := func(name string) bool { return s.Type == name || slices.Contains(s.Types, name) }
	switch {
	case !isTyped(s) && s.AnyOf == nil && s.Ref == "" && s.Enum == nil && s.Const == nil:
		return errors.New("any value is allowed")
	case is("array") && s.Items == nil:
		return errors.New("an array of anything is allowed")
	case (is("object") || s.Properties != nil) && !isNothing(s.AdditionalProperties):
		return errors.New("an object with keys of any name is allowed")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(s.Required, name) {
			return fmt.Errorf("%s is not required", name)
		}
	}
	for _, keyword := range []struct {
		name string
		used bool
	}{
		{"allOf", s.AllOf != nil},
		{"oneOf", s.OneOf != nil},
		{"not", s.Not != nil},
		{"if", s.If != nil},
		{"prefixItems", s.PrefixItems != nil},
		{"patternProperties", s.PatternProperties != nil},
		{"propertyNames", s.PropertyNames != nil},
		{"dependentSchemas", s.DependentSchemas != nil},
		{"dependentRequired", s.DependentRequired != nil},
	} {
		if keyword.used {
			return fmt.Errorf("the keyword %s is not in it", keyword.name)
		}
	}
	return nil
}

// isNothing reports whether s is false, the schema of no value.
func isNothing(s *jsonschema.Schema) bool {
	return s != nil && s.Not != nil && isAnything(s.Not)
}
