package image

import (
	"encoding/binary"
	"fmt"
	"strings"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// The layout of the extended attribute security.capability, revision 2
// (linux/capability.h): a word of revision and flag, then permitted and
// inheritable of capabilities 0 to 31, then the same of 32 to 63.
const (
	capRevision2     = 0x02000000
	capEffectiveFlag = 0x1
)

// packCapability is the value of that attribute for a set as text, such as
// cap_net_bind_service=ep.
func packCapability(text string) (string, error) {
	// Of "cap_a=ep cap_b=p" the library forgets the first, without an error.
	if len(strings.Fields(text)) != 1 {
		return "", fmt.Errorf("%q: want one clause without spaces, such as cap_net_bind_service,cap_chown=ep", text)
	}
	set, err := cap.FromText(text)
	if err != nil {
		return "", fmt.Errorf("%q is no set of capabilities, want such as cap_net_bind_service=ep: %w", text, err)
	}
	var permitted, inheritable, effective uint64
	for c := cap.Value(0); c < 64; c++ {
		for vector, bits := range map[cap.Flag]*uint64{cap.Permitted: &permitted, cap.Inheritable: &inheritable, cap.Effective: &effective} {
			// A capability that this kernel has not is not in the set.
			if on, err := set.GetFlag(vector, c); err == nil && on {
				*bits |= 1 << c
			}
		}
	}
	if permitted|inheritable == 0 {
		return "", fmt.Errorf("%q: a file needs at least one permitted or inheritable capability", text)
	}
	words := [5]uint32{capRevision2, uint32(permitted), uint32(inheritable), uint32(permitted >> 32), uint32(inheritable >> 32)}
	// A file has one flag for all of them, no set.
	if effective != 0 {
		words[0] |= capEffectiveFlag
	}
	var out []byte
	for _, w := range words {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	return string(out), nil
}
