// Package server is the Assistants protocol as an [http.Handler]: the v2 API
// that OpenAI and Azure OpenAI switched off, kept alive for programs that were
// written against it. It needs nothing but the Go standard library and keeps
// its data where the caller says, in memory by default.
//
//	http.ListenAndServe("127.0.0.1:8080", server.New())
//
// Then point a client at http://127.0.0.1:8080/v1 and go on as before.
//
// # What is served
//
// The assistants resource: create, retrieve, modify, delete, and list with
// cursors, with the validation, the error bodies, the defaults and the order of
// results that clients of the original service rely on. docs/protocol.md is the
// account of all of it, and says which parts are known from the original and
// which are inferred.
//
// # Use
//
// A [Server] from [New] is complete without any option. Options replace one
// part each: where objects are kept ([WithStore]), what time it is
// ([WithClock]), how ids are made ([WithIDSource]), who may call
// ([WithAPIKeys]), which models exist ([WithModelNames]) and which of them are not
// for assistants ([WithUnsupportedModelNames]), what is logged ([WithLogger]) and
// how large a request may be ([WithMaxBodyBytes]). Tests that set the clock and
// the ids get answers that are the same byte for byte on every run.
//
// A Server is safe for concurrent use, starts no goroutine, and holds no state
// outside itself: two servers in one process share nothing unless they are
// given the same [Store].
package server
