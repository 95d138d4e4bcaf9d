"""The browser room: pure rendering, handlers, layout. Nothing else imports gradio."""
