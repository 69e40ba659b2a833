package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"
)

// A Route says who answers for some names of models.
type Route struct {
	// Name is the one name that the route is for; Prefix is what all of its names begin with. A route has one of them, or
	// neither: then it is the default, for every name that has no other route.
	Name, Prefix string

	// Model answers; never nil.
	Model Model

	// As is what the Model is asked for in place of the name, such as a live model in place of one that is gone; "" is
	// the name. Callers go on to see the name that they have used.
	As string
}

// A Router is a [Model] that has others answer, by the name of the model that is asked for: the [Route] with that name, else
// the one with the longest prefix, else the default. Without a default other names are unknown, as in [WithModelNames]. Make
// one with [NewRouter]; it is safe for concurrent use.
type Router struct {
	names    map[string]Route
	prefixes []Route // the longest first
	fallback *Route
}

var (
	_ Checker = (*Router)(nil)
	_ Lister  = (*Router)(nil)
)

// NewRouter returns a Router. A route without a Model, a route with both a Name and a Prefix, and two routes for the same names
// are errors, as is a Router without routes.
func NewRouter(routes ...Route) (*Router, error) {
	r := &Router{names: make(map[string]Route)}
	for i, route := range routes {
		if err := r.add(route); err != nil {
			return nil, fmt.Errorf("server: route %d: %w", i, err)
		}
	}
	if len(routes) == 0 {
		return nil, errors.New("server: a router without routes")
	}
	slices.SortFunc(r.prefixes, func(a, b Route) int { return cmp.Compare(len(b.Prefix), len(a.Prefix)) })
	return r, nil
}

func (r *Router) add(route Route) error {
	switch {
	case route.Model == nil:
		return errors.New("it has no model")
	case route.Name != "" && route.Prefix != "":
		return errors.New("it has a name and a prefix")
	case route.Name != "":
		if _, taken := r.names[route.Name]; taken {
			return fmt.Errorf("there is another one for %q", route.Name)
		}
		r.names[route.Name] = route
	case route.Prefix != "":
		if slices.ContainsFunc(r.prefixes, func(p Route) bool { return p.Prefix == route.Prefix }) {
			return fmt.Errorf("there is another one for names that begin with %q", route.Prefix)
		}
		r.prefixes = append(r.prefixes, route)
	case r.fallback != nil:
		return errors.New("there is another default")
	default:
		r.fallback = &route
	}
	return nil
}

// route returns who answers for a name.
func (r *Router) route(name string) (Route, bool) {
	if route, ok := r.names[name]; ok {
		return route, true
	}
	for _, route := range r.prefixes {
		if strings.HasPrefix(name, route.Prefix) {
			return route, true
		}
	}
	if r.fallback != nil {
		return *r.fallback, true
	}
	return Route{}, false
}

// known are names that may lead to the route: the one that all of them stand for, else those that its Model lists.
func (r Route) known(ctx context.Context) ([]ModelInfo, error) {
	if r.As != "" {
		return []ModelInfo{{ID: r.As}}, nil
	}
	if lister, ok := r.Model.(Lister); ok {
		return lister.Models(ctx)
	}
	return nil, nil
}

// Respond has the Model of a route answer. That there is none any more, since an assistant was made, is an error.
func (r *Router) Respond(ctx context.Context, call *ModelCall) iter.Seq2[ModelEvent, error] {
	route, ok := r.route(call.Model)
	if !ok {
		return func(yield func(ModelEvent, error) bool) {
			yield(nil, &ModelError{Code: typeServer, Message: fmt.Sprintf("The requested model '%s' does not exist.", echo(call.Model))})
		}
	}
	call.Model = cmp.Or(route.As, call.Model)
	return route.Model.Respond(ctx, call)
}

// Check asks the Model of the route, if that is a [Checker].
func (r *Router) Check(model string, tools []assistants.Tool) error {
	route, ok := r.route(model)
	if !ok {
		return ErrUnknownModel
	}
	if checker, ok := route.Model.(Checker); ok {
		return checker.Check(cmp.Or(route.As, model), tools)
	}
	return nil
}

// Models lists the names that have a route of their own, and of those that the other Models know, or are asked for, the ones that
// lead to them; by name.
func (r *Router) Models(ctx context.Context) ([]ModelInfo, error) {
	var list []ModelInfo
	for name := range r.names {
		list = append(list, ModelInfo{ID: name})
	}
	others := r.prefixes
	if r.fallback != nil {
		others = append(slices.Clip(others), *r.fallback)
	}
	var failed error
	for _, route := range others {
		known, err := route.known(ctx)
		failed = errors.Join(failed, err)
		for _, m := range known {
			if to, ok := r.route(m.ID); ok && to.Name == "" && to.Prefix == route.Prefix {
				list = append(list, m)
			}
		}
	}
	slices.SortFunc(list, func(a, b ModelInfo) int { return cmp.Compare(a.ID, b.ID) })
	return list, failed
}
