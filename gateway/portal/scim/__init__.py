"""SCIM 2.0 at `/_ecluse/scim/v2` of the portal's host: directories announce changes of their people.

`endpoint` identifies the directory by its token, and the operation; `users` carries the operation out. A deactivated
person is marked first, then the person's sessions end. `flow.active_people` checks the marks at a sign-in. Begin in
`endpoint`.
"""
