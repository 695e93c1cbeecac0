"""Posts kept across a sign-in, as the data plane moves them.

`keeping` takes the body of a post whose session has ended to the folder of kept posts, in the place of an application;
`sending` lets a kept post come on the connection of the click that asked for it, as if the browser had sent it then.
What is kept, and for whom, stores.posts knows; what people see of it is portal.flow.kept_posts.
"""
