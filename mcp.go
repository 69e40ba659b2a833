package assistants

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

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

// A withMCPServers is a request that may carry credentials for MCP servers, which errors must not show.
type withMCPServers interface {
	mcpServers() []MCPResources
}

func (r *ToolResources) mcpServers() []MCPResources        { return r.MCP }
func (p AssistantCreateParams) mcpServers() []MCPResources { return p.ToolResources.MCP }
func (p AssistantModifyParams) mcpServers() []MCPResources { return p.ToolResources.value.MCP }
func (p ThreadCreateParams) mcpServers() []MCPResources    { return p.ToolResources.MCP }
func (p ThreadModifyParams) mcpServers() []MCPResources    { return p.ToolResources.value.MCP }
func (p RunCreateParams) mcpServers() []MCPResources       { return p.ToolResources.MCP }

func (p ThreadCreateAndRunParams) mcpServers() []MCPResources {
	return slices.Concat(p.ToolResources.MCP, p.Thread.ToolResources.MCP)
}

// mcpServers are those that approvals bring headers for.
func (p RunSubmitToolOutputsParams) mcpServers() (all []MCPResources) {
	for _, approval := range p.ToolApprovals {
		all = append(all, MCPResources{Headers: approval.Headers})
	}
	return all
}

// withSecretsOf adds what is secret in a request's body.
func withSecretsOf(in any, secrets transport.Secrets) transport.Secrets {
	request, ok := in.(withMCPServers)
	if v := reflect.ValueOf(in); ok && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		for _, server := range request.mcpServers() {
			for name, value := range server.Headers {
				secrets = withSecretsOfHeader(secrets, name, transport.NewSecret(value))
			}
		}
	}
	return secrets
}
