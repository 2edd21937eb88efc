// Command sidegate is the ingress controller, and the tools to look at it. It
// reads flags and starts things; what they do is in pkg/.
package main
