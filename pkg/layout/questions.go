package layout

// ask makes the locations that ask authentication services.
func (s *Server) ask() {
	for i := range s.Locations {
		l := &s.Locations[i]
		if l.Auth == nil {
			continue
		}
		if s.Questions == nil {
			s.Questions = &Questions{}
		}
		s.Questions.Outside = s.Questions.Outside || l.Auth.Outside != nil
		s.Questions.List = append(s.Questions.List, Question{ID: l.ID, Auth: l.Auth})
	}
}
