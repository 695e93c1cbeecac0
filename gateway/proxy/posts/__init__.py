"""Posts kept across a sign-in, as the data plane moves them.

`keeping` writes the body of a post whose session has ended to the folder of kept posts, instead of to an application.
`sending` sends a kept post on the connection of the click that asked for it, as if the browser had sent it then.
stores.posts decides about keeping; portal.flow.kept_posts has the pages.
"""
