package assistants

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/assistants-go/assistants/internal/transport"
)

// MCPResources are what Foundry needs to know of an MCP server.
type MCPResources struct {
	ServerLabel string     `json:"server_label"`     // the tool's name for it
	Headers     MCPHeaders `json:"headers,omitzero"` // sent with every call. nil and empty are none
	// RequireApproval is JSON: "always", "never", or an object that names tools. nil leaves it to the service.
	RequireApproval json.RawMessage `json:"require_approval,omitzero"`
}

// A ToolApproval allows or forbids a call of a tool on an MCP server: Foundry asks for it.
type ToolApproval struct {
	ToolCallID string `json:"tool_call_id"` // of the call
	Approve    bool   `json:"approve"`      // false: the call is not made
	// Headers are sent to the server with the call. nil and empty are none.
	Headers MCPHeaders `json:"headers,omitzero"`
}

// MCPHeaders are HTTP headers for an MCP server. Being credentials as a rule, their values are not shown by %v, %+v and
// %#v.
type MCPHeaders map[string]string

// Format writes how many there are.
func (h MCPHeaders) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%d headers", len(h)) }

// A withMCPHeaders is a request that may carry credentials for MCP servers, which errors must not show.
type withMCPHeaders interface {
	mcpHeaders() []MCPHeaders
}

func (r *ToolResources) mcpHeaders() (all []MCPHeaders) {
	for _, server := range r.MCP {
		all = append(all, server.Headers)
	}
	return all
}

func (p AssistantCreateParams) mcpHeaders() []MCPHeaders { return p.ToolResources.mcpHeaders() }

func (p AssistantModifyParams) mcpHeaders() []MCPHeaders { return p.ToolResources.value.mcpHeaders() }

func (p ThreadCreateParams) mcpHeaders() []MCPHeaders { return p.ToolResources.mcpHeaders() }

func (p ThreadModifyParams) mcpHeaders() []MCPHeaders { return p.ToolResources.value.mcpHeaders() }

func (p ThreadCreateAndRunParams) mcpHeaders() []MCPHeaders {
	return append(p.ToolResources.mcpHeaders(), p.Thread.mcpHeaders()...)
}

func (p RunCreateParams) mcpHeaders() []MCPHeaders { return p.ToolResources.mcpHeaders() }

func (p RunSubmitToolOutputsParams) mcpHeaders() (all []MCPHeaders) {
	for _, approval := range p.ToolApprovals {
		all = append(all, approval.Headers)
	}
	return all
}

// withSecretsOf adds what is secret in a request's body.
func withSecretsOf(in any, secrets transport.Secrets) transport.Secrets {
	request, ok := in.(withMCPHeaders)
	if v := reflect.ValueOf(in); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		for _, headers := range request.mcpHeaders() {
			for name, value := range headers {
				secrets = withSecretsOfHeader(secrets, name, transport.NewSecret(value))
			}
		}
	}
	return secrets
}
