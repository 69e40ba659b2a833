package assistants

import "fmt"

// A variant is one of the types that a union stands for.
type variant[T ~string] struct {
	typ T
	set bool // the field that belongs to it is
}

// resolve returns the type of a union when it is sent: the one it names, else that of the field that is set.
func resolve[T ~string](kind string, named T, variants ...variant[T]) (T, error) {
	found := named
	for _, v := range variants {
		switch {
		case !v.set || v.typ == found:
		case named != "":
			return "", fmt.Errorf("%s of type %q has the field of type %q set", kind, named, v.typ)
		case found != "":
			return "", fmt.Errorf("%s is %s and %s at once", kind, found, v.typ)
		default:
			found = v.typ
		}
	}
	if found == "" {
		return "", fmt.Errorf("%s has no type", kind)
	}
	return found, nil
}
