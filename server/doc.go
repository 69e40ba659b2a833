// Package server is the Assistants protocol as an [http.Handler]: the v2 API
// that OpenAI and Azure OpenAI switched off, kept alive for programs that were
// written against it. It needs no other program and no network, and keeps its
// data where the caller says, in memory by default.
//
//	http.ListenAndServe("127.0.0.1:8080", server.New())
//
// Then point a client at http://127.0.0.1:8080/v1 and go on as before.
//
// # What is served
//
// Assistants, threads, messages, runs and run steps, files, uploads and vector
// stores: creating, retrieving, modifying, deleting and listing with cursors;
// running an assistant on a thread, polled or as a stream of events; function calls
// and the submission of their outputs; cancelling. Files that are added to a vector
// store are read in the background, and can then be searched, by runs and by
// themselves. With it come the validation, the error bodies, the
// defaults, the sequences of events and the order of results that clients of the
// original service rely on. GET /models says which models there are. docs/protocol.md is the account of all of it, and says
// which parts are known from the original and which are inferred.
//
// # Models
//
// A [Model] is what speaks for the assistants. The server keeps the protocol and
// calls the model, which yields text, citations, calls of functions and the rest
// as a sequence of events; [WithModel] plugs one in. It can search the files of its
// run, read files and make some: see [ModelCall]. Package server/responses has the
// live models of OpenAI and Azure speak, package server/chat every other that
// knows Chat Completions, and a [Router] chooses between several by name.
// [Scripted] is a model that answers by rule, for tests. A server without a model
// has [StandIn], which says that it is none.
//
// # Use
//
// A [Server] from [New] is complete without any option. Options replace one
// part each: what speaks for the assistants ([WithModel]), how much of it at once
// ([WithMaxConcurrentCalls]) and what it is shown ([WithMaxContextTokens]), where
// objects are kept ([WithStore]) and the contents of files ([WithBlobs]), what makes
// text of files ([WithExtractor]) and what finds it ([WithRetriever]), what time it
// is ([WithClock]), how ids are made ([WithIDSource]), who may call
// ([WithAPIKeys]), which models exist ([WithModelNames]) and which of them are not
// for assistants ([WithUnsupportedModelNames]), what is logged ([WithLogger]), how
// large a file may be ([WithMaxFileBytes]) and any other request
// ([WithMaxBodyBytes]). Tests that set the clock, the ids and the model get answers
// that are the same byte for byte on every run.
//
// A Server is safe for concurrent use and holds no state outside itself: two
// servers in one process share nothing. Each call of the model is a goroutine,
// which outlives the request that began it, and so are those that read files;
// [Server.Close] ends them all.
package server
