"""Which headers the exports of shops, tills, payments and contact software have.

Column names come from the products' public documentation and from files people publish.
"""

from __future__ import annotations

from revoir.reading.declared import Export, names
from revoir.reading.ledgers import LEDGERS

_PEOPLE = {
    "first_name": "customers.first_name", "firstname": "customers.first_name",
    "prenom": "customers.first_name", "last_name": "customers.last_name",
    "lastname": "customers.last_name", "nom": "customers.last_name",
    "email": "customers.email", "email_address": "customers.email",
    "adresse_email": "customers.email", "phone": "customers.phone",
    "phone_number": "customers.phone", "mobile_phone": "customers.phone",
    "mobile_phone_number": "customers.phone", "sms": "customers.phone",
    "city": "customers.city", "country": "customers.country",
    "country_region": "customers.country", "postal_code": "customers.postcode",
    "zip": "customers.postcode", "zip_code": "customers.postcode",
    "birthday": "customers.birth_date", "birthdate": "customers.birth_date",
    "date_of_birth": "customers.birth_date",
}  # fmt: skip

_SHOPS = (
    Export(
        "Shopify", "orders",
        names("name financial_status lineitem_quantity lineitem_name lineitem_price"),
        {
            "name": "orders.order_id", "email": "customers.email",
            "financial_status": "orders.status", "created_at": "orders.ordered_at",
            "total": "orders.amount", "currency": "orders.currency",
            "refunded_amount": "orders.refunded", "discount_amount": "orders.discount",
            "lineitem_quantity": "order_lines.quantity", "lineitem_name": "order_lines.product",
            "lineitem_sku": "order_lines.product_id", "lineitem_price": "order_lines.unit_price",
            "billing_name": "customers.name", "billing_street": "customers.street",
            "billing_zip": "customers.postcode", "billing_city": "customers.city",
            "billing_country": "customers.country", "billing_province": "customers.region",
            "billing_company": "customers.company", "billing_phone": "customers.phone",
            "accepts_marketing": "customers.consent", "source": "orders.channel",
        },
        ignored=(
            "shipping_", "billing_address", "phone", "id", "receipt_number", "device_id",
            "payment_id", "payment_reference", "payment_references", "note", "tax_",
        ),
        told_once="name",
    ),
    Export(
        "Shopify", "products", names("handle title vendor option1_value"),
        {
            "variant_sku": "products.product_id", "sku": "products.product_id",
            "title": "products.product", "type": "products.category",
            "product_category": "products.category", "variant_inventory_qty": "products.stock",
            "inventory_quantity": "products.stock",
        },
        ignored=(
            "body_html", "description", "option1_", "option2_", "option3_", "image_", "variant_",
            "google_shopping", "seo_", "gift_card", "cost_per_item", "published", "price",
        ),
        told_once="handle",
    ),
    Export(
        "WooCommerce", "orders", names("order_id order_total billing_email"),
        {
            "order_id": "orders.order_id", "order_date": "orders.ordered_at",
            "date": "orders.ordered_at", "date_created": "orders.ordered_at",
            "status": "orders.status", "order_status": "orders.status",
            "order_total": "orders.amount", "currency": "orders.currency",
            "order_currency": "orders.currency", "refunded_total": "orders.refunded",
            "order_refunded_total": "orders.refunded", "total_refunded": "orders.refunded",
            "discount_total": "orders.discount", "cart_discount": "orders.discount",
            "customer_id": "orders.customer_id", "customer_user": "orders.customer_id",
            "billing_email": "customers.email", "billing_first_name": "customers.first_name",
            "billing_last_name": "customers.last_name", "billing_phone": "customers.phone",
            "billing_city": "customers.city", "billing_postcode": "customers.postcode",
            "billing_country": "customers.country", "billing_state": "customers.region",
            "billing_company": "customers.company", "billing_address_1": "customers.street",
            "item_name": "order_lines.product", "item_sku": "order_lines.product_id",
            "item_quantity": "order_lines.quantity", "item_total": "order_lines.amount",
        },
        any_of=names("order_date date date_created"),
        ignored=(
            "shipping_first", "shipping_last", "shipping_address", "shipping_company",
            "shipping_phone", "shipping_postcode", "billing_address_2", "customer_ip_address",
            "customer_user_agent", "customer_note", "line_items", "line_item_", "order_key",
        ),
    ),
    Export(
        "WooCommerce", "orders", names("order n_revenue customer_type status"),
        {
            "date": "orders.ordered_at", "order": "orders.order_id", "status": "orders.status",
            "customer": "customers.name", "n_revenue": "orders.amount",
        },
        any_of=names("date"),
        ignored=("n_revenue_formatted", "net_revenue_formatted"),
    ),
    Export(
        "PrestaShop", "orders", names("reference total"),
        {
            "id": "orders.order_id", "id_commande": "orders.order_id",
            "client": "customers.name", "customer": "customers.name",
            "total": "orders.amount", "etat": "orders.status", "status": "orders.status",
            "statut": "orders.status", "date": "orders.ordered_at",
            "livraison": "customers.country", "delivery": "customers.country",
            "entreprise": "customers.company", "company": "customers.company",
        },
        any_of=names("nouveau_client new_client new_customer"),
    ),
    Export(
        "Stripe", "orders", names("id amount amount_refunded currency status"),
        {
            "id": "orders.order_id", "created_utc": "orders.ordered_at",
            "created_date_utc": "orders.ordered_at", "created": "orders.ordered_at",
            "amount": "orders.amount", "amount_refunded": "orders.refunded",
            "currency": "orders.currency", "status": "orders.status",
            "customer_id": "orders.customer_id", "customer_email": "customers.email",
            "customer_name": "customers.name", "card_name": "customers.name",
        },
        any_of=names("created_utc created_date_utc created"),
        ignored=(
            "description", "customer_description", "converted_", "card_id", "card_address",
            "card_last4", "card_fingerprint", "seller_message", "shipping_", "mode", "payment_",
            "invoice_", "statement_", "transfer", "refunded_date", "checkout_", "client_",
        ),
        formats={
            "created_utc": "utc", "created_date_utc": "utc", "created": "utc", "amount": "point",
        },
    ),
    Export(
        "HubSpot", "customers", names("record_id email"),
        {
            **_PEOPLE, "record_id": "customers.customer_id", "create_date": "customers.joined_at",
            "company_name": "customers.company", "associated_company": "customers.company",
            "street_address": "customers.street", "state_region": "customers.region",
            "unsubscribed_from_all_email": "customers.consent",
        },
        any_of=names("create_date lifecycle_stage contact_owner lead_status"),
        ignored=("associated_company_ids", "associated_note", "associated_deal"),
        formats={"unsubscribed_from_all_email": "inverted"},
    ),
    Export(
        "Salesforce", "customers", names("last_name mailing_city"),
        {
            **_PEOPLE, "id": "customers.customer_id", "contact_id": "customers.customer_id",
            "mailing_city": "customers.city", "mailing_street": "customers.street",
            "mailing_postal_code": "customers.postcode", "mailing_zip_postal_code":
            "customers.postcode", "mailing_country": "customers.country",
            "mailing_state": "customers.region", "mailing_state_province": "customers.region",
            "account_name": "customers.company", "created_date": "customers.joined_at",
            "has_opted_out_of_email": "customers.consent", "email_opt_out": "customers.consent",
            "title": "attribute",
        },
        any_of=names("id contact_id"),
        ignored=(
            "system_modstamp", "other_", "photo_url", "master_record_id", "last_", "is_deleted",
            "created_by", "reports_to", "owner_id", "mailing_latitude", "mailing_longitude",
            "mailing_geocode", "fax", "home_phone", "assistant", "description", "jigsaw",
        ),
        formats={"has_opted_out_of_email": "inverted", "email_opt_out": "inverted"},
    ),
    Export(
        "Mailchimp", "customers", names("email_address optin_time"),
        {
            **_PEOPLE, "optin_time": "customers.joined_at", "address": "customers.street",
        },
        any_of=names("member_rating leid euid confirm_time"),
        ignored=(
            "optin_ip", "confirm_", "latitude", "longitude", "gmtoff", "dstoff", "timezone",
            "leid", "euid", "notes", "last_changed", "unsub_", "clean_",
        ),
    ),
    Export(
        "Brevo", "customers", names("email added_time"),
        {
            **_PEOPLE, "contact_id": "attribute", "added_time": "customers.joined_at",
            "email_blacklisted": "customers.consent", "blacklisted": "customers.consent",
            "opt_in": "customers.consent",
        },
        any_of=names("modified_time contact_id sms"),
        ignored=("modified_time", "list_ids", "sms_blacklisted", "double_opt_in"),
        formats={"email_blacklisted": "inverted", "blacklisted": "inverted"},
    ),
    Export(
        "Shopify", "customers",
        names("customer_id accepts_email_marketing total_spent total_orders"),
        {
            **_PEOPLE, "customer_id": "customers.customer_id",
            "accepts_email_marketing": "customers.consent",
            "default_address_company": "customers.company", "company": "customers.company",
            "default_address_address1": "customers.street", "address1": "customers.street",
            "default_address_city": "customers.city", "default_address_zip": "customers.postcode",
            "default_address_country_code": "customers.country",
            "default_address_province_code": "customers.region", "province": "customers.region",
        },
        ignored=("note", "default_address_address2", "address2", "default_address_phone"),
    ),
    Export(
        "WooCommerce", "orders", names("order_number order_status order_date order_total_amount"),
        {
            "order_number": "orders.order_id", "order_status": "orders.status",
            "order_date": "orders.ordered_at", "order_total_amount": "orders.amount",
            "order_refund_amount": "orders.refunded", "cart_discount_amount": "orders.discount",
            "email_billing": "customers.email", "first_name_billing": "customers.first_name",
            "last_name_billing": "customers.last_name", "phone_billing": "customers.phone",
            "company_billing": "customers.company", "city_billing": "customers.city",
            "address_1_2_billing": "customers.street", "postcode_billing": "customers.postcode",
            "state_code_billing": "customers.region", "country_code_billing": "customers.country",
            "sku": "order_lines.product_id", "item_name": "order_lines.product",
            "quantity_refund": "order_lines.quantity", "quantity": "order_lines.quantity",
            "item_cost": "order_lines.unit_price",
        },
        any_of=names("item_name email_billing sku"),
        ignored=(
            "customer_note", "first_name_shipping", "last_name_shipping", "address_1_2_shipping",
            "city_shipping", "state_code_shipping", "postcode_shipping", "country_code_shipping",
            "company_shipping", "item", "discount_amount", "order_subtotal_amount",
            "order_shipping_amount", "order_total_tax_amount",
        ),
    ),
    Export(
        "Squarespace", "orders",
        names("order_id financial_status lineitem_quantity lineitem_name lineitem_price"),
        {
            "order_id": "orders.order_id", "email": "customers.email",
            "financial_status": "orders.status", "created_at": "orders.ordered_at",
            "total": "orders.amount", "currency": "orders.currency",
            "amount_refunded": "orders.refunded", "discount_amount": "orders.discount",
            "lineitem_quantity": "order_lines.quantity", "lineitem_name": "order_lines.product",
            "lineitem_sku": "order_lines.product_id", "lineitem_price": "order_lines.unit_price",
            "billing_name": "customers.name", "billing_address1": "customers.street",
            "billing_zip": "customers.postcode", "billing_city": "customers.city",
            "billing_country": "customers.country", "billing_province": "customers.region",
            "billing_phone": "customers.phone", "channel_name": "orders.channel",
        },
        ignored=("shipping_", "billing_address2", "private_notes", "payment_reference"),
        told_once="order_id",
    ),
    Export(
        "Magento", "orders", names("id purchase_date bill_to_name status"),
        {
            "id": "orders.order_id", "purchase_date": "orders.ordered_at",
            "grand_total_purchased": "orders.amount", "status": "orders.status",
            "customer_email": "customers.email", "customer_name": "customers.name",
            "bill_to_name": "customers.name", "total_refunded": "orders.refunded",
        },
        any_of=names("grand_total_purchased"),
        ignored=(
            "ship_to_name", "billing_address", "shipping_address", "shipping_information",
            "grand_total_base", "subtotal", "purchase_point",
        ),
    ),
    Export(
        "BigCommerce", "orders", names("order_id order_date order_total_inc_tax order_status"),
        {
            "order_id": "orders.order_id", "order_date": "orders.ordered_at",
            "order_total_inc_tax": "orders.amount", "order_status": "orders.status",
            "refund_amount": "orders.refunded", "order_currency_code": "orders.currency",
            "customer_id": "orders.customer_id", "customer_name": "customers.name",
            "customer_email": "customers.email", "customer_phone": "customers.phone",
            "billing_company": "customers.company", "billing_street_1": "customers.street",
            "billing_suburb": "customers.city", "billing_state": "customers.region",
            "billing_zip": "customers.postcode", "billing_country": "customers.country",
        },
        ignored=(
            "shipping_", "billing_name", "billing_first_name", "billing_last_name",
            "billing_street_2", "billing_phone", "billing_email", "order_notes",
            "customer_message", "product_details", "unit_prices",
        ),
    ),
    Export(
        "Amazon", "orders", names("amazon_order_id purchase_date item_price quantity"),
        {
            "amazon_order_id": "orders.order_id", "purchase_date": "orders.ordered_at",
            "order_status": "orders.status", "sales_channel": "orders.channel",
            "currency": "orders.currency", "product_name": "order_lines.product",
            "sku": "order_lines.product_id", "quantity": "order_lines.quantity",
            "item_price": "order_lines.amount",
        },
        ignored=("merchant_order_id", "url", "ship_city", "ship_state", "ship_postal_code"),
        unpaid=("pending",),
    ),
    Export(
        "Amazon", "orders", names("order_id order_item_id purchase_date quantity_purchased"),
        {
            "order_id": "orders.order_id", "order_item_id": "order_lines.line_id",
            "purchase_date": "orders.ordered_at", "sales_channel": "orders.channel",
            "currency": "orders.currency", "product_name": "order_lines.product",
            "sku": "order_lines.product_id", "quantity_purchased": "order_lines.quantity",
            "item_price": "order_lines.amount", "buyer_email": "customers.email",
            "buyer_name": "customers.name", "buyer_phone_number": "customers.phone",
            "ship_city": "customers.city", "ship_postal_code": "customers.postcode",
            "ship_state": "customers.region", "ship_country": "customers.country",
        },
        any_of=names("item_price"),
        ignored=("recipient_name", "ship_address", "ship_phone_number", "delivery_"),
    ),
    Export(
        "Etsy", "orders", names("sale_date order_id order_total order_net"),
        {
            "sale_date": "orders.ordered_at", "order_id": "orders.order_id",
            "order_total": "orders.amount", "status": "orders.status",
            "adjusted_order_total": "orders.refunded",
            "currency": "orders.currency", "discount_amount": "orders.discount",
            "buyer_user_id": "orders.customer_id", "full_name": "customers.name",
            "first_name": "customers.first_name", "last_name": "customers.last_name",
            "street_1": "customers.street", "ship_city": "customers.city",
            "ship_state": "customers.region", "ship_zipcode": "customers.postcode",
            "ship_country": "customers.country",
        },
        ignored=("street_2", "sku", "coupon_details", "order_value", "order_net", "adjusted_"),
        refunds="left",
    ),
    Export(
        "Etsy", "orders",
        names("payment_id buyer_username order_id gross_amount net_amount order_date"),
        {
            "order_id": "orders.order_id", "order_date": "orders.ordered_at",
            "gross_amount": "orders.amount", "refund_amount": "orders.refunded",
            "currency": "orders.currency", "status": "orders.status",
            "buyer_username": "orders.customer_id", "buyer_name": "customers.name",
        },
        ignored=(
            "payment_id", "fees", "net_amount", "posted_", "adjusted_", "listing_amount",
            "listing_currency", "exchange_rate", "vat_amount", "funds_available", "buyer",
        ),
        refunds="capped",
    ),
    Export(
        "eBay", "orders", names("sales_record_number order_number buyer_username total_price"),
        {
            "order_number": "orders.order_id", "sale_date": "orders.ordered_at",
            "total_price": "orders.amount", "buyer_username": "orders.customer_id",
            "buyer_name": "customers.name", "buyer_email": "customers.email",
            "buyer_address_1": "customers.street", "buyer_city": "customers.city",
            "buyer_state": "customers.region", "buyer_zip": "customers.postcode",
            "buyer_country": "customers.country", "item_title": "order_lines.product",
            "custom_label": "order_lines.product_id", "quantity": "order_lines.quantity",
        },
        any_of=names("sale_date"),
        ignored=("ship_to_", "buyer_note", "buyer_address_2", "my_item_note", "sold_for"),
        told_once="order_number",
    ),
    Export(
        "SumUp", "orders", names("transaction_id receipt_number price_gross price_net quantity"),
        {
            "date": "orders.ordered_at", "transaction_id": "orders.order_id",
            "quantity": "order_lines.quantity", "description": "order_lines.product",
            "currency": "orders.currency", "price_gross": "order_lines.amount",
        },
        ignored=("account", "price_net", "receipt_number"),
        kind="type",
    ),
    Export(
        "SumUp", "orders", names("date type ref_transaction quantite prix_ttc prix_ht compte"),
        {
            "date": "orders.ordered_at", "ref_transaction": "orders.order_id",
            "quantite": "order_lines.quantity", "description": "order_lines.product",
            "categorie": "order_lines.category", "sku": "order_lines.product_id",
            "devise": "orders.currency", "prix_ttc": "order_lines.amount",
        },
        ignored=("compte", "prix_avant_reduction", "reduction", "prix_ht", "tva", "taux_de_tva"),
        kind="type",
    ),
    Export(
        "Stripe", "customers", names("id email created_utc delinquent"),
        {
            **_PEOPLE, "id": "customers.customer_id", "name": "customers.name",
            "created_utc": "customers.joined_at", "card_address_city": "customers.city",
            "card_address_zip": "customers.postcode", "card_address_country": "customers.country",
        },
        ignored=("description", "card_", "default_source"),
        formats={"created_utc": "utc"},
    ),
)  # fmt: skip
EXPORTS = _SHOPS + LEDGERS
"""Every export that is known, the most particular first."""
